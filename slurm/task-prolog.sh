#!/bin/bash -p
# SLURM's TaskProlog, as the job's user before each task: its lines set the task's variables (slurm.conf(5)). Builtins
# of the shell alone: it runs for each of what may be thousands of tasks. By -p the user's BASH_ENV stays out.

RUN_FOLDER=/run/slipway
# shellcheck source=SCRIPTDIR/slipway.conf
. "${BASH_SOURCE[0]%/*}/slipway.conf"

# A component of a heterogeneous job has its first one's id here, and its own on the node.
for id in SLURM_JOB_ID "${!SLURM_JOB_ID_HET_GROUP_@}"; do
  environment=$RUN_FOLDER/${!id}.environment
  [[ -r $environment ]] && break
done
if [[ ! -r $environment ]]; then
  # Not even what Prolog says where there are none: each node has to say it.
  [[ $SLURM_LOCALID == 0 ]] &&
    printf 'print slipway: this job has no AWS credentials: none are kept on %s\n' "$SLURMD_NODENAME"
  exit 0
fi
mapfile -t lines <"$environment"
for line in "${lines[@]}"; do
  # What is printed, once: at the batch script's start, or by the first task of an srun without one.
  [[ $line != print* || ($SLURM_PROCID == 0 && (-z ${SLURM_STEP_ID-} || ${ENVIRONMENT-} != BATCH)) ]] &&
    printf '%s\n' "$line"
done
exit 0
