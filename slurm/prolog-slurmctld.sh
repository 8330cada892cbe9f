#!/bin/bash
# SLURM's PrologSlurmctld, on the head node as SlurmUser, before the job's nodes start: makes the job's session at the
# broker, and hands what the nodes need over in the job's AdminComment, encrypted by munge so that root alone can read
# it (docs/decisions/0009-slurm.md).

# shellcheck source=SCRIPTDIR/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# Sets `project` to what the job names, if its user may name that; else `problem`.
choose_project() {
  local enforced user list projects one
  case $PROJECT_FROM in
    account) project=${SLURM_JOB_ACCOUNT-} enforced=associations ;;
    # SLURM marks a user's default by an asterisk.
    wckey) project=${SLURM_WCKEY-} project=${project#\*} enforced=wckeys ;;
    comment) project=${SLURM_JOB_COMMENT-} enforced= ;;
    *) problem="PROJECT_FROM is '$PROJECT_FROM', not account, wckey or comment" && return ;;
  esac

  # SLURM's own word for none.
  [[ $project == '(null)' ]] && project=

  if [[ -z $PROJECTS_FILE ]]; then
    if [[ -z $enforced ]] ||
      ! timeout 5 scontrol show config | grep -Eq "^AccountingStorageEnforce *=.*\b$enforced\b"; then
      problem="SLURM does not check who may use which $PROJECT_FROM, and there is no PROJECTS_FILE"
    elif [[ -z $project ]]; then
      problem="the job names no project (its $PROJECT_FROM)"
    fi
    return
  fi

  while IFS=: read -r user list; do
    [[ $user == "$SLURM_JOB_USER" ]] || continue
    read -ra projects <<<"$list"
    for one in "${projects[@]}"; do
      [[ $one == "${project:=$one}" ]] && return
    done
  done <"$PROJECTS_FILE"
  problem="$SLURM_JOB_USER may not use the project '$project'"
}

# Makes the session. Sets `uri` and `token`, or `problem`.
make_session() {
  local body refusal
  printf -v body '{"sessionId":%s,"projectId":%s,"clusterName":%s,"clusterUser":%s,"submittedTime":"%s"}' \
    "$(json "$session")" "$(json "$project")" "$(json "$SLURM_CLUSTER_NAME")" "$(json "$SLURM_JOB_USER")" \
    "$(date --utc +%FT%TZ)"
  ask POST /sessions "$body"
  if [[ $status == 200 && $answer =~ \"LOCALHOST_AWS_CONTAINER_CREDENTIALS_FULL_URI\":\"([!-~]+)\" ]]; then
    uri=${BASH_REMATCH[1]%%\"*}
    [[ $answer =~ \"AWS_CONTAINER_AUTHORIZATION_TOKEN\":\"([A-Za-z0-9._~+/=-]+)\" ]] && token=${BASH_REMATCH[1]}
  fi
  [[ -n $token ]] && return
  refusal=
  [[ $answer =~ .*\"message\":\"([^\"\\]{1,200}) ]] && refusal=": ${BASH_REMATCH[1]}"
  if [[ $status == 000 ]]; then problem='the broker does not answer'; else problem="the broker answered $status$refusal"; fi
}

# To root on the job's nodes, by way of the controller. A restart has a handover of its own: an old one is void.
hand_over() {
  local job=$SLURM_JOB_ID credential
  # An array's last task has the array's own id, which stands for all of its tasks.
  [[ -n ${SLURM_ARRAY_TASK_ID-} ]] && job=${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID
  credential=$(printf 'job %s %s\n%s\n' "$SLURM_JOB_ID" "${SLURM_JOB_RESTART_COUNT-0}" "$1" |
    munge --socket="$MUNGE_SOCKET" --restrict-uid=0) || return
  timeout 5 scontrol update "JobId=$job" "AdminComment=$credential" >/dev/null 2>&1
}

# Whoever tells the broker of past sessions' ends must not end the one that a requeued job gets now.
forget_end() {
  [[ -e $STATE_FOLDER/$session ]] || return
  exec 9>"$STATE_FOLDER/lock"
  flock --wait 10 9
  rm -f "$STATE_FOLDER/$session"
  exec 9>&-
}

project='' uri='' token='' problem=''
if broker_is_safe; then choose_project; else problem='BROKER_URL is no https address'; fi
if [[ -z $problem ]]; then
  forget_end
  make_session
fi
if [[ -n $problem ]]; then
  # What the user chose may be in it, but must not be a line of its own.
  problem=${problem//[[:cntrl:]]/ }
  log "no AWS credentials: $problem"
  hand_over "problem $problem"
else
  hand_over "uri $uri"$'\n'"token $token"$'\n'"region $AWS_REGION"
fi || log 'no AWS credentials: munge or scontrol failed'
