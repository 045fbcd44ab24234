#!/bin/bash
# A study on a SLURM cluster: each task of an array takes its share of the participants, then one makes the table of all.
#
#   sbatch --array=0-19 deploy/slurm.sh BIDS_DIR OUT participant --scorers smoothed_residual voxel_atlas dark_asymmetry
#   sbatch --dependency=afterany:JOB deploy/slurm.sh BIDS_DIR OUT group        JOB: the number that the first one prints
#
# Given again, it goes on where tasks were killed. $VAEAD says what runs: vaead by itself, or
# "apptainer run --cleanenv --bind /data vaead.sif".
#SBATCH --job-name=vaead
#SBATCH --cpus-per-task=1
#SBATCH --mem=2G
#SBATCH --time=04:00:00
#SBATCH --output=vaead-%A-%a.log
set -euo pipefail
bids=$1 out=$2 level=$3
shift 3
if [ "$level" = participant ]; then
    mapfile -t people < <(cd "$bids" && ls --directory sub-*/ | tr --delete / | sort)
    own=()
    for ((at = ${SLURM_ARRAY_TASK_ID:-0}; at < ${#people[@]}; at += ${SLURM_ARRAY_TASK_COUNT:-1})); do
        own+=("${people[at]}")
    done
    if [ ${#own[@]} -eq 0 ]; then
        echo "There are more tasks than participants; this one has nothing to do."
        exit
    fi
    set -- --participant-label "${own[@]}" "$@"
fi
# shellcheck disable=SC2086 # the command may have words of its own
exec ${VAEAD:-vaead} "$bids" "$out" "$level" "$@"
