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

# One script at a time, fifty sessions at most, none after the first failure. The lock is for one session only: the job
# that is requeued meanwhile waits for it, and takes its file away.
complete_earlier() {
  local file told=0
  exec 9>"$STATE_FOLDER/lock"
  for file in "$STATE_FOLDER"/*; do
    [[ $file == */lock ]] && continue
    flock --nonblock 9 || return
    if [[ -e $file ]]; then
      ((told++ < 50)) && complete "${file##*/}" || return
      rm -f "$file"
    fi
    flock --unlock 9
  done
}

broker_is_safe || exit
making=$STATE_FOLDER/.$session
# A job that is cancelled at its very start has its PrologSlurmctld killed, whose request may come after this one's.
if complete "$session" && [[ $status != 404 || ! -e $making ]]; then
  complete_earlier
else
  log "the broker has not heard of the session's end (answer $status); it will be told again"
  : >"$STATE_FOLDER/$session"
fi
rm -f "$making"
