#!/bin/bash
# SLURM's EpilogSlurmctld, on the head node as SlurmUser, when the job has ended in any way, its nodes alive or not:
# tells the broker that the session is over. An end that the broker didn't hear is told again after later jobs.

# shellcheck source=SCRIPTDIR/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# Fails when the broker may not have heard. 404: no such session; 409: it had ended.
complete() {
  ask PUT "/sessions/$1" '{"status":"COMPLETED"}'
  [[ $status == @(200|404|409) ]]
}

# One script at a time, fifty sessions at most, none after the first failure.
complete_earlier() {
  local file told=0
  exec 9>"$STATE_FOLDER/lock"
  flock --nonblock 9 || return
  for file in "$STATE_FOLDER"/*; do
    [[ $file == */lock ]] && continue
    ((told++ < 50)) && complete "${file##*/}" || return
    rm -f "$file"
  done
}

broker_is_safe || exit
if complete "$session"; then
  complete_earlier
else
  log "the broker has not heard of the session's end (answer $status); it will be told again"
  : >"$STATE_FOLDER/$session"
fi
