# Every test of values and derivatives, with expressions fused from one element on.
ADL_FUSE_FROM=1 $adl test tests/ad tests/array tests/lang >out.$$ 2>&1 || cat out.$$
rm -f out.$$
