/** Hides a person's own AWS configuration and keys. */
export const NO_AWS_FILES = { AWS_CONFIG_FILE: '/dev/null', AWS_SHARED_CREDENTIALS_FILE: '/dev/null' };
