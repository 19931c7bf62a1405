% What the programs for Octave share: the median time of a call, in nanoseconds an item, as clock.adl measures it.
function say(name, step, items, seconds = 0.4)
    step(); step(); times = []; start = tic();
    while numel(times) < 5 || toc(start) < seconds
        before = tic(); step(); times(end + 1) = toc(before);
    end
    printf("%s %.6g\n", name, median(times) / items * 1e9);
end
