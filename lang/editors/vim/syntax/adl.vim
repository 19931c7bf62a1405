" Vim syntax of adl, made from lang/token.def by `adl doc --vim`.
if exists('b:current_syntax') | finish | endif

syn match adlOperator /\V\/\/=\|**=\|->\|==\|!=\|<=\|>=\|\/\/\|**\|+=\|-=\|*=\|\/=\|%=\|@=\|^=\|<\|>\|+\|-\|*\|\/\|%\|@\|^\|=/
syn match adlFunction /\k\+\ze(/
syn match adlNumber /\v<(0x[0-9A-Fa-f_]+|0b[01_]+|[0-9][0-9_]*(\.[0-9_]*)?([eE][-+]?[0-9_]+)?)/
syn match adlNumber /\v\k@<!\.[0-9][0-9_]*([eE][-+]?[0-9_]+)?/
syn keyword adlKeyword or and not if else while for in break continue return fn record pause import as extern try catch new
syn keyword adlConstant true false nil
syn match adlField /\.\@<=\k\+/
syn match adlEscape /\v\\(u\{[0-9A-Fa-f]+\}|.)/ contained
syn region adlString start=/"/ skip=/\\./ end=/"/ oneline contains=adlEscape
syn region adlString start=/"""/ skip=/\\./ end=/"""/ contains=adlEscape
syn region adlString start=/\<r"/ end=/"/ oneline
syn region adlString start=/\<f"/ skip=/\\./ end=/"/ oneline contains=adlEscape,adlBraces,adlPiece
syn region adlString start=/\<f"""/ skip=/\\./ end=/"""/ contains=adlEscape,adlBraces,adlPiece
syn region adlPiece matchgroup=adlSpecial start=/{/ end=/}/ contained contains=TOP
syn match adlBraces /{{\|}}/ contained
syn match adlComment /#.*/ contains=adlTodo,@Spell
syn match adlDoc /##.*/ contains=@Spell
syn match adlShebang /\%^#!.*/
syn keyword adlTodo TODO FIXME contained

hi def link adlOperator Operator
hi def link adlFunction Function
hi def link adlNumber Number
hi def link adlKeyword Keyword
hi def link adlConstant Constant
hi def link adlField Identifier
hi def link adlEscape SpecialChar
hi def link adlBraces SpecialChar
hi def link adlSpecial Special
hi def link adlString String
hi def link adlComment Comment
hi def link adlDoc SpecialComment
hi def link adlShebang PreProc
hi def link adlTodo Todo

let b:current_syntax = 'adl'
