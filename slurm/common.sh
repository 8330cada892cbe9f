# shellcheck shell=bash disable=SC2034 # The scripts use the settings.
# What SLURM's hooks share: settings and their defaults, the job's names, the broker, the log.

set -u
umask 077
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
# Lengths and patterns count bytes.
export LC_ALL=C
# SLURM requeues the job or drains the node when a hook fails, and no job is to depend on the broker.
trap 'exit 0' EXIT

HOOKS=$(dirname "${BASH_SOURCE[0]}")
BROKER_URL=
SECRET_FILE=$HOOKS/head-node-secret
CA_FILE=
PROJECT_FROM=account
PROJECTS_FILE=
SESSION_PREFIX=
AWS_REGION=
STATE_FOLDER=/var/lib/slipway
RUN_FOLDER=/run/slipway
SLURM_USER=slurm
MUNGE_SOCKET=/run/munge/munge.socket.2
# shellcheck source=SCRIPTDIR/slipway.conf
. "$HOOKS/slipway.conf"

session=$SESSION_PREFIX$SLURM_JOB_ID

# To the system's log; never what a secret could be in.
log() {
  logger --tag slipway -- "job $SLURM_JOB_ID: $*" 2>/dev/null
}

# ask METHOD PATH BODY: one request to the broker. Sets `status` (000: no answer) and `answer`. At most 8 s.
# The secret goes by a pipe: a process's arguments are for everyone to see.
ask() {
  local ca=()
  [[ -n $CA_FILE ]] && ca=(--cacert "$CA_FILE")
  answer=$(curl --disable --silent --request "$1" --connect-timeout 2 --max-time 4 \
    --retry 1 --retry-delay 1 --retry-max-time 4 --retry-connrefused "${ca[@]}" \
    --header @<(printf 'Authorization: %s\n' "$(<"$SECRET_FILE")") \
    --header 'Content-Type: application/json' --data-binary "$3" \
    --write-out '\n%{http_code}' -- "${BROKER_URL%/}$2")
  status=${answer##*$'\n'}
  answer=${answer%$'\n'*}
}

# Over plain HTTP the secret would be for everyone on the way to read.
broker_is_safe() {
  [[ $BROKER_URL =~ ^(https://|http://(127\.0\.0\.1|localhost|\[::1\])[:/]) ]]
}

# A text as JSON; control characters the broker refuses.
json() {
  local text=${1//\\/\\\\}
  printf '"%s"' "${text//\"/\\\"}"
}
