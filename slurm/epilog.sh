#!/bin/bash
# SLURM's Epilog, on each of the job's nodes as root, when the job has ended there: removes what prolog.sh kept.

# shellcheck source=SCRIPTDIR/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

rm -f "$RUN_FOLDER/$SLURM_JOB_ID".{token,environment}
