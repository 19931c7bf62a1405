/* Syntax highlighting for editors. The one idea: what is a keyword, a constant or a sign is read
 * from the token table, so that an editor colours what the prompt colours; only numbers, names and
 * strings, which are no rows, are patterns here.
 *
 * What this writes is committed below lang/editors (`make editors`), and a test compares the two.
 */
#include "io.h"
#include "lex.h"
#include "manual.h"
#include <string.h>

static const struct { const char *text; TokenClass class; } words[] = {
#define WORD(token, text, power, class) { text, class },
#include "token.def"
};
static const char *const signs[] = {
#define SIGN(token, text, power, op, class) class == CLASS_OPERATOR ? text : NULL,
#include "token.def"
};
#define COUNT(table) (sizeof(table) / sizeof *(table))

static void put(const char *text) { io_write(text, strlen(text)); }

static void put_words(TokenClass class, const char *between) {
    bool any = false;
    for (size_t i = 0; i < COUNT(words); i++) {
        if (words[i].class != class) continue;
        if (any) put(between);
        put(words[i].text);
        any = true;
    }
}

/* The sign with a backslash before what a pattern would read otherwise. */
static void put_quoted(const char *sign, const char *special, const char *escape) {
    for (; *sign; sign++) {
        if (strchr(special, *sign)) put(escape);
        io_write(sign, 1);
    }
}

/* Longer signs first, so that they win; those of one length in the table's order. */
static void put_signs(const char *special, const char *escape, const char *between) {
    bool any = false;
    for (size_t bytes = 3; bytes; bytes--)
        for (size_t i = 0; i < COUNT(signs); i++) {
            if (!signs[i] || strlen(signs[i]) != bytes || strchr(",;:.'", signs[i][0])) continue;
            if (any) put(between);
            put_quoted(signs[i], special, escape);
            any = true;
        }
}

void syntax_vim(void) {
    put("\" Vim syntax of adl, made from lang/token.def by `adl doc --vim`.\n"
        "if exists('b:current_syntax') | finish | endif\n\n"
        "syn match adlOperator /\\V");
    put_signs("/", "\\", "\\|");
    put("/\n"
        "syn match adlFunction /\\k\\+\\ze(/\n"
        "syn match adlNumber "
        "/\\v<(0x[0-9A-Fa-f_]+|0b[01_]+|[0-9][0-9_]*(\\.[0-9_]*)?([eE][-+]?[0-9_]+)?)/\n"
        "syn match adlNumber /\\v\\k@<!\\.[0-9][0-9_]*([eE][-+]?[0-9_]+)?/\n"
        "syn keyword adlKeyword ");
    put_words(CLASS_KEYWORD, " ");
    put("\nsyn keyword adlConstant ");
    put_words(CLASS_CONSTANT, " ");
    put("\nsyn match adlField /\\.\\@<=\\k\\+/\n"
        "syn match adlEscape /\\v\\\\(u\\{[0-9A-Fa-f]+\\}|.)/ contained\n"
        "syn region adlString start=/\"/ skip=/\\\\./ end=/\"/ oneline contains=adlEscape\n"
        "syn region adlString start=/\"\"\"/ skip=/\\\\./ end=/\"\"\"/ contains=adlEscape\n"
        "syn region adlString start=/\\<r\"/ end=/\"/ oneline\n"
        "syn region adlString start=/\\<f\"/ skip=/\\\\./ end=/\"/ oneline "
        "contains=adlEscape,adlBraces,adlPiece\n"
        "syn region adlString start=/\\<f\"\"\"/ skip=/\\\\./ end=/\"\"\"/ "
        "contains=adlEscape,adlBraces,adlPiece\n"
        "syn region adlPiece matchgroup=adlSpecial start=/{/ end=/}/ contained contains=TOP\n"
        "syn match adlBraces /{{\\|}}/ contained\n"
        "syn match adlComment /#.*/ contains=adlTodo,@Spell\n"
        "syn match adlDoc /##.*/ contains=@Spell\n"
        "syn match adlShebang /\\%^#!.*/\n"
        "syn keyword adlTodo TODO FIXME contained\n\n"
        "hi def link adlOperator Operator\nhi def link adlFunction Function\nhi def link adlNumber "
        "Number\n"
        "hi def link adlKeyword Keyword\nhi def link adlConstant Constant\nhi def link adlField "
        "Identifier\n"
        "hi def link adlEscape SpecialChar\nhi def link adlBraces SpecialChar\nhi def link "
        "adlSpecial Special\n"
        "hi def link adlString String\nhi def link adlComment Comment\nhi def link adlDoc "
        "SpecialComment\n"
        "hi def link adlShebang PreProc\nhi def link adlTodo Todo\n\n"
        "let b:current_syntax = 'adl'\n");
}

void syntax_textmate(void) {
    put("{\n"
        "  \"name\": \"adl\",\n"
        "  \"scopeName\": \"source.adl\",\n"
        "  \"fileTypes\": [\"adl\"],\n"
        "  \"firstLineMatch\": \"^#!.*\\\\badl\\\\b\",\n"
        "  \"patterns\": [{ \"include\": \"#code\" }],\n"
        "  \"repository\": {\n"
        "    \"code\": {\n"
        "      \"patterns\": [\n"
        "        { \"name\": \"comment.line.documentation.adl\", \"match\": \"##.*$\" },\n"
        "        { \"name\": \"comment.line.number-sign.adl\", \"match\": \"#.*$\" },\n"
        "        { \"name\": \"string.quoted.triple.adl\", \"begin\": \"f\\\"\\\"\\\"\", \"end\": "
        "\"\\\"\\\"\\\"\", \"patterns\": [{ \"include\": \"#pieces\" }] },\n"
        "        { \"name\": \"string.quoted.triple.adl\", \"begin\": \"\\\"\\\"\\\"\", \"end\": "
        "\"\\\"\\\"\\\"\", \"patterns\": [{ \"include\": \"#escapes\" }] },\n"
        "        { \"name\": \"string.quoted.other.raw.adl\", \"begin\": \"\\\\br\\\"\", \"end\": "
        "\"\\\"|$\" },\n"
        "        { \"name\": \"string.quoted.double.adl\", \"begin\": \"\\\\bf\\\"\", \"end\": "
        "\"\\\"|$\", \"patterns\": [{ \"include\": \"#pieces\" }] },\n"
        "        { \"name\": \"string.quoted.double.adl\", \"begin\": \"\\\"\", \"end\": "
        "\"\\\"|$\", \"patterns\": [{ \"include\": \"#escapes\" }] },\n"
        "        { \"match\": \"\\\\b(fn)\\\\s+([\\\\p{L}_][\\\\p{L}\\\\p{M}\\\\p{N}_]*)\", "
        "\"captures\": { \"1\": { \"name\": \"keyword.control.adl\" }, "
        "\"2\": { \"name\": \"entity.name.function.adl\" } } },\n"
        "        { \"name\": \"keyword.control.adl\", \"match\": \"(?<!\\\\.)\\\\b(");
    put_words(CLASS_KEYWORD, "|");
    put(")\\\\b(?!\\\\s*:)\" },\n"
        "        { \"name\": \"constant.language.adl\", \"match\": \"(?<!\\\\.)\\\\b(");
    put_words(CLASS_CONSTANT, "|");
    put(")\\\\b\" },\n"
        "        { \"name\": \"constant.numeric.adl\", \"match\": "
        "\"\\\\b(0x[0-9A-Fa-f_]+|0b[01_]+|[0-9][0-9_]*(\\\\.[0-9_]*)?([eE][-+]?[0-9_]+)?)\" },\n"
        "        { \"name\": \"constant.numeric.adl\", \"match\": "
        "\"(?<![\\\\p{L}\\\\p{N}_)\\\\]])\\\\.[0-9][0-9_]*([eE][-+]?[0-9_]+)?\" },\n"
        "        { \"name\": \"entity.name.function.adl\", \"match\": "
        "\"[\\\\p{L}_][\\\\p{L}\\\\p{M}\\\\p{N}_]*(?=\\\\()\" },\n"
        "        { \"name\": \"keyword.operator.adl\", \"match\": \"");
    put_signs("*+^/.|", "\\\\", "|");
    put("\" },\n"
        "        { \"name\": \"variable.other.adl\", \"match\": "
        "\"[\\\\p{L}_][\\\\p{L}\\\\p{M}\\\\p{N}_]*\" }\n"
        "      ]\n"
        "    },\n"
        "    \"escapes\": {\n"
        "      \"patterns\": [{ \"name\": \"constant.character.escape.adl\", \"match\": "
        "\"\\\\\\\\(u\\\\{[0-9A-Fa-f]+\\\\}|.)\" }]\n"
        "    },\n"
        "    \"pieces\": {\n"
        "      \"patterns\": [\n"
        "        { \"include\": \"#escapes\" },\n"
        "        { \"name\": \"constant.character.escape.adl\", \"match\": "
        "\"\\\\{\\\\{|\\\\}\\\\}\" },\n"
        "        { \"name\": \"meta.embedded.adl\", \"begin\": \"\\\\{\", \"end\": \"\\\\}\", "
        "\"patterns\": [{ \"include\": \"#code\" }] }\n"
        "      ]\n"
        "    }\n"
        "  }\n"
        "}\n");
}
