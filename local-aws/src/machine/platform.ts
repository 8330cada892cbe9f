const ARCHITECTURES: Partial<Record<NodeJS.Architecture, string>> = { x64: 'amd64', arm64: 'arm64' };

/** This machine as Terraform names it: `linux_amd64`, `darwin_arm64`. */
export const PLATFORM = `${process.platform}_${ARCHITECTURES[process.arch] ?? process.arch}`;
