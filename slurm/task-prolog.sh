#!/bin/bash
# SLURM's TaskProlog, as the job's user before each task: its lines set the task's variables (slurm.conf(5)). Builtins
# of the shell alone, where it need not wait: it runs for each of what may be thousands of tasks.

RUN_FOLDER=/run/slipway
# shellcheck source=SCRIPTDIR/slipway.conf
. "${BASH_SOURCE[0]%/*}/slipway.conf"

# A component of a heterogeneous job has its first one's id here, and its own on the node. Its step may start before its
# node's Prolog has ended, which always leaves a file.
for ((tenths = 0; tenths < 100; tenths++)); do
  for id in SLURM_JOB_ID "${!SLURM_JOB_ID_HET_GROUP_@}"; do
    environment=$RUN_FOLDER/${!id}.environment
    [[ -r $environment ]] && break 2
  done
  sleep 0.1
done
if [[ -r $environment ]]; then
  mapfile -t lines <"$environment"
else
  lines=('print slipway: this job has no AWS credentials: none are kept on this node')
fi
for line in "${lines[@]}"; do
  # What is printed, once: at the batch script's start, or by the first task of an srun without one.
  [[ $line != print* || ($SLURM_PROCID == 0 && (-z ${SLURM_STEP_ID-} || ${ENVIRONMENT-} != BATCH)) ]] &&
    printf '%s\n' "$line"
done
exit 0
