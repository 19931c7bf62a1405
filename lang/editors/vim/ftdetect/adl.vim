au BufRead,BufNewFile *.adl setfiletype adl
au FileType adl setlocal commentstring=#\ %s shiftwidth=4 expandtab
