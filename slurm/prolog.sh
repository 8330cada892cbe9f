#!/bin/bash
# SLURM's Prolog, on each of the job's nodes as root, before anything of the job runs there: takes over what
# PrologSlurmctld left, and keeps it for the job's user alone. What task-prolog.sh prints is prepared here.

# shellcheck source=SCRIPTDIR/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# Sets `handover` to what PrologSlurmctld left for this run of the job. Whatever else looks like it (users choose names
# and comments) is not from SlurmUser, or not for this run; so munge need not judge by age and repetition. SLURM shows
# an array's tasks all together to the one that has the array's id.
take_over() {
  local credential opened uid
  uid=$(id -u "$SLURM_USER") || return
  while read -r credential; do
    opened=$(unmunge --socket="$MUNGE_SOCKET" --keys=UID --numeric 2>/dev/null <<<"$credential")
    # 15 to 17: genuine, but old, from a clock ahead of ours, or seen before.
    [[ $? == @(0|15|16|17) && $opened =~ ^UID:\ *$uid$'\n'+(.*) ]] || continue
    handover=${BASH_REMATCH[1]}
    [[ $handover == "job $SLURM_JOB_ID ${SLURM_JOB_RESTART_COUNT-0}"$'\n'* ]] && return
  done < <(timeout 10 scontrol --oneliner show job "$SLURM_JOB_ID" | grep "^JobId=$SLURM_JOB_ID " |
    grep -Eo 'MUNGE:[A-Za-z0-9+/=]+:' | head -n 100)
  return 1
}

# line NAME: the rest of the handover's line that begins with NAME.
line() {
  [[ $'\n'$handover =~ $'\n'$1\ ([^$'\n']*) ]] && printf '%s' "${BASH_REMATCH[1]}"
}

# Percent-encoded for a URL's query.
encoded() {
  local text=$1 at code
  for ((at = 0; at < ${#text}; at++)); do
    case ${text:at:1} in
      [A-Za-z0-9._~-]) printf '%s' "${text:at:1}" ;;
      *) printf -v code %d "'${text:at:1}" && printf '%%%02X' $((code & 255)) ;;
    esac
  done
}

# keep NAME: standard input as a file that the job's user can read, and nobody replace.
keep() {
  local file=$RUN_FOLDER/$SLURM_JOB_ID.$1
  cat >"$file.part" && chmod 400 "$file.part" && chown "$SLURM_JOB_UID" "$file.part" && mv -f "$file.part" "$file"
}

# Lines for TaskProlog: credentials that a shell of the submitter's happened to have would win over the job's own.
environment() {
  local token_file=$RUN_FOLDER/$SLURM_JOB_ID.token name
  local node=$SLURM_CLUSTER_NAME-$SLURM_JOB_USER-$SLURMD_NODENAME
  printf 'unset %s\n' AWS_CONTAINER_CREDENTIALS_RELATIVE_URI AWS_CONTAINER_AUTHORIZATION_TOKEN
  if [[ -z $(line token) ]]; then
    printf 'unset %s\n' AWS_CONTAINER_CREDENTIALS_FULL_URI AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE
    printf 'print slipway: this job has no AWS credentials: %s\n' "$(line problem)"
    return
  fi
  printf 'unset %s\n' AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_SECURITY_TOKEN \
    AWS_PROFILE AWS_DEFAULT_PROFILE AWS_ROLE_ARN AWS_ROLE_SESSION_NAME AWS_WEB_IDENTITY_TOKEN_FILE
  printf 'export AWS_CONTAINER_CREDENTIALS_FULL_URI=%s?roleSessionName=%s\n' "$(line uri)" "$(encoded "$node")"
  printf 'export AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=%s\n' "$token_file"
  for name in AWS_REGION AWS_DEFAULT_REGION; do
    [[ -n $(line region) ]] && printf 'export %s=%s\n' "$name" "$(line region)"
  done
}

take_over || handover='problem the head node handed none over'
[[ -d $RUN_FOLDER ]] || mkdir --mode=711 "$RUN_FOLDER"
# In somebody else's folder the token's file could be replaced.
if [[ -O $RUN_FOLDER ]]; then
  [[ -n $(line token) ]] && line token | keep token
  environment | keep environment
else
  log "RUN_FOLDER must be root's: $RUN_FOLDER"
fi
