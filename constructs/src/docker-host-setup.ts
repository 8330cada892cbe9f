/**
 * The Docker Compose plugin for hosts that come without it. To renew: take version and both hashes from `checksums.txt`
 * of a release of docker/compose, and compare the hashes with those in `versions.json` of docker-library/docker (the
 * official Docker image), which pins the same files.
 */
export const COMPOSE_PLUGIN = {
  version: '2.40.3',
  sha256: {
    x86_64: 'dba9d98e1ba5bfe11d88c99b9bd32fc4a0624a30fafe68eea34d61a3e42fd372',
    aarch64: 'd26373b19e89160546d15407516cc59f453030d9bc5b43ba7faf16f7b4980137',
  },
} as const;

/** Where the host's state and scripts are: out of /opt/app, which containers may write to. */
export const STATE_FOLDER = '/var/lib/slipway';
export const SETUP_PATH = `${STATE_FOLDER}/setup.sh`;
/** The caller's own script, run last. */
export const SCRIPT_PATH = `${STATE_FOLDER}/script`;
export const COMPOSE_PATH = '/opt/app/compose.yaml';

/**
 * The same on every host: what the caller says is in files of its own, never in here. It is part of the user data, so a
 * change to it (another COMPOSE_PLUGIN, too) replaces each host at its next deploy.
 */
export const SETUP_SCRIPT = `#!/bin/bash
# Sets up this Docker host. cloud-init runs it at the first boot and logs to /var/log/cloud-init-output.log.
# To run it again: sudo ${SETUP_PATH}
# At its end there is either ${STATE_FOLDER}/ready (when) or ${STATE_FOLDER}/failed (the step).
set -euo pipefail
export HOME="\${HOME:-/root}"

step() {
  current=$1
  echo "slipway: $current"
}

ended_early() {
  echo "$current (exit status $1)" >${STATE_FOLDER}/failed
  echo "slipway: failed: $current (exit status $1)" >&2
}

# At the first boot the network can be late, and a server can be away for a moment.
retry() {
  local attempt status
  for attempt in 1 2 3 4 5 6; do
    "$@" && return
    status=$?
    echo "slipway: attempt $attempt of 6 failed (exit status $status): $*" >&2
    sleep 10
  done
  return "$status"
}

step 'start'
rm -f ${STATE_FOLDER}/ready ${STATE_FOLDER}/failed
trap 'ended_early $?' EXIT

step 'install Docker'
if ! command -v docker; then
  if ! command -v dnf; then
    echo 'slipway: this image has neither docker nor dnf; take Amazon Linux 2023 or an image with Docker' >&2
    exit 1
  fi
  retry dnf install --assumeyes docker
fi

step 'start Docker'
systemctl enable --now docker

step 'install Docker Compose'
if ! docker compose version; then
  arch=$(uname -m)
  case $arch in
    x86_64) sha256=${COMPOSE_PLUGIN.sha256.x86_64} ;;
    aarch64) sha256=${COMPOSE_PLUGIN.sha256.aarch64} ;;
    *)
      echo "slipway: Docker Compose is known for x86_64 and aarch64, not for $arch" >&2
      exit 1
      ;;
  esac
  plugins=/usr/local/lib/docker/cli-plugins
  mkdir -p $plugins
  retry curl --fail --silent --show-error --location --proto '=https' --connect-timeout 10 --max-time 300 \\
    --output $plugins/download \\
    "https://github.com/docker/compose/releases/download/v${COMPOSE_PLUGIN.version}/docker-compose-linux-$arch"
  echo "$sha256  $plugins/download" | sha256sum --check
  chmod 0755 $plugins/download
  mv $plugins/download $plugins/docker-compose
  docker compose version
fi

if [[ -e ${COMPOSE_PATH} ]]; then
  step 'start the containers'
  retry docker compose -f ${COMPOSE_PATH} up -d --quiet-pull
fi

if [[ -e ${SCRIPT_PATH} ]]; then
  step 'run the custom script'
  ${SCRIPT_PATH}
fi

step 'ready'
date --utc --iso-8601=seconds >${STATE_FOLDER}/ready
trap - EXIT
`;
