#!/bin/bash
# SLURM's PrologSlurmctld, on the head node as SlurmUser, before the job's nodes start: makes the job's session at the
# broker, and hands what the nodes need over in the job's AdminComment, encrypted by munge so that root alone can read
# it (docs/decisions/0009-slurm.md).

# shellcheck source=SCRIPTDIR/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# Sets `project` to what the job names, if its user may name that; else `problem`.
choose_project() {
  local user list projects one
  case $PROJECT_FROM in
    account) project=${SLURM_JOB_ACCOUNT-} ;;
    # SLURM marks a user's default by an asterisk.
    wckey) project=${SLURM_WCKEY-} project=${project#\*} ;;
    comment) project=${SLURM_JOB_COMMENT-} ;;
    *) problem="PROJECT_FROM is '$PROJECT_FROM', not account, wckey or comment" && return ;;
  esac

  # SLURM's own word for none.
  [[ $project == '(null)' ]] && project=

  if [[ -z $PROJECTS_FILE ]]; then
    if [[ -z $project ]]; then
      problem="the job names no project (its $PROJECT_FROM)"
    elif ! slurm_lets_name; then
      problem="SLURM does not say that $SLURM_JOB_USER may use the $PROJECT_FROM '$project'; there is no PROJECTS_FILE"
    fi
    return
  fi

  # The last line may have no end.
  while IFS=: read -r user list || [[ -n $user ]]; do
    [[ $user == "$SLURM_JOB_USER" ]] || continue
    read -ra projects <<<"$list"
    for one in "${projects[@]}"; do
      [[ $one == "${project:=$one}" ]] && return
    done
  done <"$PROJECTS_FILE"
  problem="$SLURM_JOB_USER may not use the project '$project'"
}

# Whether SLURM itself says that the user may name the project. For an account that is an association of the user's. That
# slurm.conf has AccountingStorageEnforce would not do: SLURM before 23.11 shows it after `scontrol reconfigure`, and
# checks nothing before slurmctld is started again.
slurm_lets_name() {
  case $PROJECT_FROM in
    account)
      timeout 5 scontrol --oneliner show assoc_mgr flags=assoc "users=$SLURM_JOB_USER" "accounts=$project" |
        grep -qF " Account=$project UserName=$SLURM_JOB_USER($SLURM_JOB_UID) "
      ;;
    wckey) timeout 5 scontrol show config | grep -Eq '^AccountingStorageEnforce *=.*\bwckeys\b' ;;
    *) false ;;
  esac
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
  # To scontrol the id of an array's last task stands for all of its tasks, and that of a heterogeneous job's first
  # component for all of its components.
  [[ -n ${SLURM_ARRAY_TASK_ID-} ]] && job=${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID
  [[ -n ${SLURM_HET_JOB_ID-} ]] && job=$SLURM_HET_JOB_ID+$SLURM_HET_JOB_OFFSET
  credential=$(printf 'job %s %s\n%s\n' "$SLURM_JOB_ID" "${SLURM_JOB_RESTART_COUNT-0}" "$1" |
    munge --socket="$MUNGE_SOCKET" --restrict-uid=0) || return
  timeout 5 scontrol update "JobId=$job" "AdminComment=$credential" >/dev/null 2>&1
}

# Whoever tells the broker of past sessions' ends must not end the one that a requeued job gets now.
forget_end() {
  [[ -e $STATE_FOLDER/$session ]] || return
  exec 9>"$STATE_FOLDER/lock"
  if flock --wait 10 9; then
    rm -f "$STATE_FOLDER/$session"
  else
    problem="the end of the job's last run is still being told"
  fi
  exec 9>&-
}

project='' uri='' token='' problem=''
if broker_is_safe; then choose_project; else problem='BROKER_URL is no https address'; fi
[[ -z $problem ]] && forget_end
if [[ -z $problem ]]; then
  # Stays if SLURM kills this script while the broker is at it: see epilog-slurmctld.sh.
  : >"$STATE_FOLDER/.$session"
  make_session
  rm -f "$STATE_FOLDER/.$session"
fi
if [[ -n $problem ]]; then
  # What the user chose may be in it, but must not be a line of its own.
  problem=${problem//[[:cntrl:]]/ }
  log "no AWS credentials: $problem"
  hand_over "problem $problem"
else
  hand_over "uri $uri"$'\n'"token $token"$'\n'"region $AWS_REGION"
fi || log 'no AWS credentials: munge or scontrol failed'
