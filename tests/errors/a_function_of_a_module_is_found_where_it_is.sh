. tests/lib.sh
wants 1 'the module stats has it: import stats; stats.quantile(...)' -e 'quantile([1, 2], .5)'
wants 1 'the module stats has it: import stats; stats.quantile(...)' -e '[1, 2].quantile(.5)'
wants 1 'did you mean `mean`?' -e 'maen([1, 2])'
