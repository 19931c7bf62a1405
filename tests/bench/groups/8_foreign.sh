# Calls of C, in a table of their own.
{ echo; foreign/run "${build#../../}"; } >>"$scratch/tables" 2>/dev/null
