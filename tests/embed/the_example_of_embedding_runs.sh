# examples/embed/embed.c, built with libadl.a.
"$(dirname "$adl")/embed" 2>&1 | diff examples/embed/embed.out -
