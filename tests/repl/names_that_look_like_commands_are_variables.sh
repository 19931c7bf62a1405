. tests/terminal.sh
terminal 70 24
enters 'help = 2' 'help'; sees 'adl> help
2'
enters 'vars = (1, 2)' 'vars' 'load = 5; load'; sees 'adl> vars
(1, 2)'; sees '
5
adl>'
enters ':vars'; sees 'help  number     2'            # the commands keep their colon
enters 'exit = 1' 'exit' 'quit_soon = 2' 'quit_soon + exit'; sees 'adl> exit
1'; sees 'quit_soon + exit
3
adl>'
enters ' :type help'; sees 'number
adl>'
enters '?help'; sees 'a variable: the number 2'
enters 'quit'; sees 'ended with 0'
