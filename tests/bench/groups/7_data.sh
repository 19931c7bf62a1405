# Reading files, ms. CPython: the csv and json modules; NumPy: loadtxt and load.
mkdir "$scratch/data" && $adl data_files.adl "$scratch/data"
BENCH_DATA=$scratch/data
export BENCH_DATA
programs data
row csv 'a CSV of 10⁶ rows into columns, ms' 'CPython ≥ ×1'
row json_numbers '25 MB of JSON, rows of numbers, ms' ''
row json_records '15 MB of JSON, records, ms' ''
row npy 'a .npy of 10⁷ numbers and its sum, ms' 'NumPy ≥ ×1'
rm -r "$scratch/data"
