/** What all environments of these sources have in common. Yours goes here, and nowhere else. */
export const organisation = 'kantox';

/** The GitHub repository whose workflows deploy these environments and push their images: OWNER/NAME. */
export const githubRepository = 'kantox/slipway';
