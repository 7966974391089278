#!/bin/sh
# The FID of a large set on a Slurm cluster: an array of jobs, one a part, and a last job that puts the parts together.
#
#   sh slurm.sh real.npz samples 8 --extractor encoder:runs/a
set -eu
real=$1 fake=$2 shards=$3
shift 3
array=$(sbatch --parsable --array=1-"$shards" --wrap "bigbigan fid $fake --shard \$SLURM_ARRAY_TASK_ID/$shards --out part\$SLURM_ARRAY_TASK_ID-of-$shards.npz --force $*")
sbatch --dependency=afterok:"$array" --kill-on-invalid-dep=yes --wrap "bigbigan fid $real --merge part*-of-$shards.npz --json $* > fid.json"
