for n = [64 128 256 512 1024 2048]
    a = rand(n); b = rand(n);
    say(sprintf("product_%d", n), @() a * b, 1e3);
end
