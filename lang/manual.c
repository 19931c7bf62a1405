/* adl.1 and the completions of bash, zsh and fish. The one idea: they are expansions of
 * options.def, so that an option that exists is documented and completed, and no other is. */
#include "manual.h"
#include "text.h"
#include "io.h"
#include <stdio.h>
#include <string.h>

/* Text with a backslash before each character of `special`. */
static void put_escaped(const char *text, const char *special) {
    for (; *text; text++) {
        if (strchr(special, *text)) io_write("\\", 1);
        io_write(text, 1);
    }
}

/* ---- the manual page ---- */

static void put_troff(const char *text) {
    bool bold = false;
    if (*text == '.' || *text == '\'') io_write("\\&", 2);
    for (; *text; text++) {
        if (*text == '`') say((bold = !bold) ? "\\fB" : "\\fR");
        else if (*text == '-') say("\\-");
        else if (*text == '\\') say("\\e");
        else io_write(text, 1);
    }
}

static void put_entry(const char *what) { put_troff(what); io_write("\n", 1); }

static void put_option_entry(int letter, const char *name, const char *argument,
                             const char *choices) {
    say(".TP\n");
    if (letter) say("\\fB\\-%c\\fR%s", letter, name ? ", " : "");
    if (name) {
        say("\\fB\\-\\-");
        put_troff(name);
        say("\\fR");
    }
    if (choices) say("=\\fI%s\\fR", choices);
    else if (argument) say(" \\fI%s\\fR", argument);
    io_write("\n", 1);
}

void manual_page(void) {
    say(".TH ADL 1 \"\" \"adl 0.1\" \"User Commands\"\n.SH NAME\nadl \\- a small array language "
        "with automatic differentiation\n"
        ".SH SYNOPSIS\n");
#define USE(call, what) say(".TP\n.B "); put_troff(call); say("\n"); put_entry(what);
#include "options.def"
    say(".SH DESCRIPTION\n"
        "adl runs programs of a small array language made for learning and using automatic "
        "differentiation. What\n"
        "stands between \\fBrecord <\\fR and \\fB>\\fR is recorded on a tape; \\fBbackward(f)\\fR "
        "sweeps the tape in reverse,\n"
        "and \\fBgrad(x)\\fR reads the gradient.\n"
        "Results go to standard output, messages to standard error.\n.SH TOOLS\n");
#define TOOL(name, words, what)                                                                    \
    say(".TP\n.B adl " #name " ");                                                                 \
    put_troff(words);                                                                              \
    say("\n");                                                                                     \
    put_entry(what);
#define TOOL_OPTION(tool, name, argument, what)                                                    \
    say(".TP\n.B adl " #tool " ");                                                                 \
    put_troff(name);                                                                               \
    say("\n");                                                                                     \
    put_entry(what);
#include "options.def"
    say(".SH OPTIONS\n");
#define OPTION(id, letter, name, argument, choices, what) \
    put_option_entry(letter, name, argument, choices); put_entry(what);
#include "options.def"
    say(".SH EXIT STATUS\n");
#define STATUS(id, number, what) say(".TP\n.B %d\n", number); put_entry(what);
#include "options.def"
    say(".SH ENVIRONMENT\n");
#define VARIABLE(name, what) say(".TP\n.B " name "\n"); put_entry(what);
#include "options.def"
    say(".SH EXAMPLES\n.nf\n"
        "adl \\-p 'grad(x \\-> x^3)(2)'\n"
        "adl \\-\\-seed 1 train.adl data.csv\n"
        "adl doc matmul\n"
        "adl fmt \\-\\-check *.adl\n.fi\n");
}

/* ---- the tables, for the shells ---- */

static const struct Row { int letter; const char *name, *argument, *choices, *what; } rows[] = {
#define OPTION(id, letter, name, argument, choices, what) { letter, name, argument, choices, what },
#include "options.def"
};
static const struct { const char *name, *what; } tools[] = {
#define TOOL(name, words, what) { #name, what },
#include "options.def"
};
static const struct { const char *tool, *name, *what; } tool_options[] = {
#define TOOL_OPTION(tool, name, argument, what) { #tool, name, what },
#include "options.def"
};
#define COUNT(table) (sizeof(table) / sizeof *(table))

/* "auto|always|never" as words. */
static void put_choices(const char *choices) {
    for (; *choices; choices++) say("%c", *choices == '|' ? ' ' : *choices);
}

static void put_tool_names(void) {
    for (size_t i = 0; i < COUNT(tools); i++) say("%s%s", i ? " " : "", tools[i].name);
}

/* ---- bash ---- */

static void bash_arguments(void) {
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct Row *row = &rows[i];
        if (!row->argument) continue;
        if (row->name) say("    --%s) ", row->name);
        else say("    -%c) ", row->letter);
        if (row->choices) {
            say("COMPREPLY=($(compgen -W '");
            put_choices(row->choices);
            say("' -- \"$word\")); ");
        }
        say("return;;\n");
    }
}

static void bash_tools(void) {
    for (size_t t = 0; t < COUNT(tools); t++) {
        say("    %s) options='", tools[t].name);
        for (size_t i = 0; i < COUNT(tool_options); i++)
            if (!strcmp(tool_options[i].tool, tools[t].name)) say("%s ", tool_options[i].name);
        say("';;\n");
    }
}

void complete_bash(void) {
    say("# bash completion for adl, made by `adl doc --bash`\n_adl() {\n"
        "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} tool= "
        "options= i\n"
        "    [ \"$word\" = = ] && word=\n"
        "    [ \"$before\" = = ] && before=${COMP_WORDS[COMP_CWORD-2]}\n"
        "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
        "        case \" ");
    put_tool_names();
    say(" \" in *\" ${COMP_WORDS[i]} \"*) tool=${COMP_WORDS[i]};; esac\n    done\n"
        "    COMPREPLY=()\n    case $before in\n");
    bash_arguments();
    say("    esac\n    case $tool in\n");
    bash_tools();
    say("    *) options='");
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (rows[i].letter) say("-%c ", rows[i].letter);
        if (rows[i].name) say("--%s ", rows[i].name);
    }
    say("';;\n    esac\n"
        "    if [[ $word == -* ]]; then COMPREPLY=($(compgen -W \"$options\" -- \"$word\")); "
        "return; fi\n"
        "    [ -n \"$tool\" ] || COMPREPLY=($(compgen -W '");
    put_tool_names();
    say("' -- \"$word\"))\n    COMPREPLY+=($(compgen -f -- \"$word\"))\n}\ncomplete -o filenames "
        "-F _adl adl\n");
}

/* ---- zsh ---- */

/* '--seed=[the same draws]:N:' */
static void zsh_option(const struct Row *row, bool is_long) {
    say(" \\\n    '%s", row->letter == 'e' || row->letter == 'p' ? "*" : "");
    if (is_long) say("--%s%s[", row->name, row->argument ? "=" : "");
    else say("-%c[", row->letter);
    put_escaped(row->what, "[]:");
    say("]");
    if (row->argument) say(":%s:", row->argument);
    if (row->choices) {
        say("(");
        put_choices(row->choices);
        say(")");
    }
    say("'");
}

static void zsh_tools(void) {
    for (size_t t = 0; t < COUNT(tools); t++) {
        say("    %s) _arguments", tools[t].name);
        for (size_t i = 0; i < COUNT(tool_options); i++) {
            if (strcmp(tool_options[i].tool, tools[t].name)) continue;
            say(" '%s[", tool_options[i].name);
            put_escaped(tool_options[i].what, "[]:");
            say("]'");
        }
        say(" '*:file:_files';;\n");
    }
}

void complete_zsh(void) {
    say("#compdef adl\n# zsh completion for adl, made by `adl doc --zsh`\n"
        "_adl_first() {\n  local -a tools=(\n");
    for (size_t t = 0; t < COUNT(tools); t++) {
        say("    '%s:", tools[t].name);
        put_escaped(tools[t].what, ":");
        say("'\n");
    }
    say("  )\n  _describe tool tools\n  _files\n}\n_adl() {\n  local tool=$words[2]\n"
        "  if (( CURRENT > 2 )); then case $tool in\n    ");
    for (size_t t = 0; t < COUNT(tools); t++) say("%s%s", t ? "|" : "", tools[t].name);
    say(") shift words; (( CURRENT-- ));;\n    *) tool=;;\n  esac; else tool=; fi\n  case $tool "
        "in\n");
    zsh_tools();
    say("    *) _arguments");
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (rows[i].letter) zsh_option(&rows[i], false);
        if (rows[i].name) zsh_option(&rows[i], true);
    }
    say(" \\\n    '1:file or tool:_adl_first' '*:argument:_files';;\n  esac\n}\n_adl \"$@\"\n");
}

/* ---- fish ---- */

static void put_quoted(const char *text) {
    io_write("'", 1);
    put_escaped(text, "'\\");
    io_write("'", 1);
}

static void fish_option(const struct Row *row) {
    say("complete -c adl");
    if (row->letter) say(" -s %c", row->letter);
    if (row->name) say(" -l %s", row->name);
    if (row->argument) say(" -x");
    if (row->choices) {
        say(" -a '");
        put_choices(row->choices);
        say("'");
    }
    say(" -d ");
    put_quoted(row->what);
    say("\n");
}

void complete_fish(void) {
    say("# fish completion for adl, made by `adl doc --fish`\n");
    for (size_t i = 0; i < COUNT(rows); i++) fish_option(&rows[i]);
    for (size_t t = 0; t < COUNT(tools); t++) {
        say("complete -c adl -n __fish_use_subcommand -a %s -d ", tools[t].name);
        put_quoted(tools[t].what);
        say("\n");
    }
    for (size_t i = 0; i < COUNT(tool_options); i++) {
        say("complete -c adl -n '__fish_seen_subcommand_from %s' -l %s -d ", tool_options[i].tool,
            tool_options[i].name + 2);
        put_quoted(tool_options[i].what);
        say("\n");
    }
}
