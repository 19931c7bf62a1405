. tests/lib.sh
wants 0 adl --help
wants 0 adl -h
wants 0 adl --version
wants 0 adl -V
