/* The language's front: tokens, trees, slots and messages, from C.
 *
 * The one idea: tables of a text and what it must become. Trees are compared as s-expressions
 * (ast_print), so a row reads as a sentence about precedence, newlines or the closing `>`. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include "diag.h"
#include "fmt.h"
#include "lex.h"
#include "parse.h"
#include <cmocka.h>   /* last: it has a fail() of its own */

static Parsed parsed(const char *text) { return parse(source_new("t", text, strlen(text))); }

static char *tree_of(const Ast *node) {
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    ast_print(out, node);
    fclose(out);
    return text;
}

/* ---- trees ---- */

static const struct { const char *text, *tree; } trees[] = {
    { "", "(block)" },
    { "-2^2", "(block! (- (^ 2 2)))" },
    { "2^-1 * 3", "(block! (* (^ 2 (- 1)) 3))" },
    { "2^3^4", "(block! (^ 2 (^ 3 4)))" },
    { "-x^2'", "(block! (- (^ x (' 2))))" },
    { "a - b - c", "(block! (- (- a b) c))" },
    { "a + b * c @ d", "(block! (+ a (@ (* b c) d)))" },
    { "not a == b", "(block! (not (== a b)))" },
    { "a or b and not c", "(block! (or a (and b (not c))))" },
    { "1.sum()", "(block! (method sum 1))" },
    { "1. + .5 + 1e-3 + 1_000 + 0x1F + 0b101", "(block! (+ (+ (+ (+ (+ 1 0.5) 0.001) 1000) 31) 5))" },
    { "x -> y -> x + y", "(block! (lambda (x) (lambda (y) (+ x y))))" },
    { "(x, s = 2, *r) -> x", "(block! (lambda (x s=2 *r) x))" },
    { "() -> 1", "(block! (lambda () 1))" },
    { "((i, v), k) -> i", "(block! (lambda ((i, v) k) i))" },
    { "()", "(block! (list))" },
    { "(x,)", "(block! (list x))" },
    { "(x)", "(block! x)" },
    { "{}", "(block! (struct))" },
    { "{a: 1, if: 2, \"b c\": 3,}", "(block! (struct (named a 1) (named if 2) (named b c 3)))" },
    { "f(x, *y, axis = 0)", "(block! (call f x (spread y) (named axis 0)))" },
    { "x.new.if(1)", "(block! (method if (field new x) 1))" },
    { "x[i, 1:2, ::-1, :, new, ...]",
      "(block! (index x i (slice 1 2) (slice _ _ (- 1)) (slice _ _) (new) (ellipsis)))" },
    { "x[::-1]'", "(block! (' (index x (slice _ _ (- 1)))))" },
    { "x, (y, z) = f()", "(block (assign (targets x (targets y z)) (call f)))" },
    { "a, b = b, a", "(block (assign (targets a b) (list b a)))" },
    { "s.n.k[0] += 5", "(block (+= (index (field k (field n s)) 0) 5))" },
    { "f\"a{{ {x:.4f} {f\"{y}\"} { {a: 1}.a}\"",
      "(block! (format \"a{ \" (piece .4f x) \" \" (piece (format (piece y))) \" \" "
      "(piece (field a (struct (named a 1))))))" },
    { "r\"a\\n\" + \"\"\"b\nc\"\"\"", "(block! (+ \"a\\n\" \"b\nc\"))" },
    /* newlines */
    { "a\n\n  # comment\n  .b()", "(block! (method b a))" },
    { "(a\n+ b)", "(block! (+ a b))" },
    { "x = [1,\n 2\n]", "(block (assign x (array 1 2)))" },
    { "f({\n a\n b\n})", "(block! (call f (block! a b)))" },
    { "x =\n 1 +\n 2", "(block (assign x (+ 1 2)))" },
    { "if a { 1 }\nelse { 2 }", "(block! (if a (block! 1) (block! 2)))" },
    { "try { 1 }\n\ncatch e { 2 }", "(block! (try e (block! 1) (block! 2)))" },
    { "a\r\nb\rc", "(block! a b c)" },
    { "\xEF\xBB\xBF" "#!/usr/bin/env adl\na", "(block! a)" },
    /* blocks */
    { "if a { b } c = 1", NULL },
    { "if a { b; c }; d", "(block! (if a (block b c)) d)" },
    { "c = if a { b } else if d { e } else { f }",
      "(block (assign c (if a (block! b) (if d (block! e) (block! f)))))" },
    { "while a { if b { c } }", "(block (while a (block (if b (block c)))))" },
    { "fn f(a, b = 2) { return a, b }", "(block (fn f (a b=2) (block (return (list a b)))))" },
    { "for (i, v) in xs { break }", "(block (for (targets i v) xs (block (break))))" },
    /* the closing > */
    { "record < f = x * x >", "(block! (record (block (assign f (* x x)))))" },
    { "record < y = a > b >", "(block! (record (block (assign y (> a b)))))" },
    { "record < if a > b { y = a } >", "(block! (record (block! (if (> a b) (block (assign y a))))))" },
    { "record < f = x * x > ; g", "(block! (record (block (assign f (* x x)))) g)" },
    { "record < record < y = x >>", "(block! (record (block! (record (block (assign y x))))))" },
    { "record < y = f\"{a > b}\" >", "(block! (record (block (assign y (format (piece (> a b)))))))" },
    { "(record < x > , 1)", "(block! (list (record (block! x)) 1))" },
    { "record(train = false) <\n a\n>", "(block! (record (block! a) (named train false)))" },
    { "record < y = (a > b) > # c", "(block! (record (block (assign y (> a b)))))" },
    { "pause { a }", "(block! (pause (block! a)))" },
    /* modules, foreign code, attaching */
    { "import nn; import \"lib/util.adl\"; import a as b",
      "(block (import nn \"nn\") (import util \"lib/util.adl\") (import b \"a\"))" },
    { "extern \"m\" {\n fn j0(x: double): double\n fn f(a: out int*): int; g: data }",
      "(block (extern \"m\" (extern_fn j0 \"fn j0(x: double): double\") "
      "(extern_fn f \"fn f(a: out int*): int\") (extern_fn g \"g: data\")))" },
    { "w = x.attach_grad(); attach_grad(s.w, req = \"add\")",
      "(block! (assign w (attach (method attach_grad x))) "
      "(attach (call attach_grad (field w s) (named req \"add\"))))" },
    { "attach_grad = f; attach_grad(x)", "(block! (assign attach_grad f) (call attach_grad x))" },
    { "x\xCC\x81 = \xC3\xA9\xE2\x82\x81", "(block (assign x\xCC\x81 \xC3\xA9\xE2\x82\x81))" },
    { "e\xCC\x81", "(block! \xC3\xA9)" },
};

static void texts_become_trees(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof trees / sizeof *trees; i++) {
        Parsed p = parsed(trees[i].text);
        if (!trees[i].tree) { assert_int_equal(p.status, PARSE_ERROR); continue; }
        if (p.errors) print_message("%s\n%s\n", trees[i].text, p.error[0].message);
        assert_int_equal(p.status, PARSE_OK);
        char *tree = tree_of(p.program);
        assert_string_equal(tree, trees[i].tree);
        free(tree);
    }
}

/* ---- errors ---- */

static const struct { ParseStatus status; const char *text, *says; } errors[] = {
    { PARSE_INCOMPLETE, "f(",                      "but the text ends" },
    { PARSE_INCOMPLETE, "x = 1 +",                 "expected an expression" },
    { PARSE_INCOMPLETE, "record <\n y = 1\n",      "expected `>` to close the block" },
    { PARSE_INCOMPLETE, "fn f() {",                "expected `}`" },
    { PARSE_INCOMPLETE, "\"\"\"abc",               "not closed" },
    { PARSE_INCOMPLETE, "try { }",                 "`catch`" },
    { PARSE_INCOMPLETE, "record < f = x > g(f)",   "put `;` or a newline behind it" },
    { PARSE_ERROR, "if c",                         "expected `{` after the condition" },
    { PARSE_ERROR, "\"abc",                        "not closed on its line" },
    { PARSE_ERROR, "(1]",                          "opened here" },
    { PARSE_ERROR, "a < b < c",                    "write `and`" },
    { PARSE_ERROR, "record < y = x >\n>",          "the block was closed here" },
    { PARSE_ERROR, "def f(x): x",                  "fn name(x) { ... }" },
    { PARSE_ERROR, "lambda x: x",                  "x -> x^2" },
    { PARSE_ERROR, "if a { } elif b { }",          "} else if" },
    { PARSE_ERROR, "print x",                      "print(x)" },
    { PARSE_ERROR, "a ~= b",                       "write `!=`" },
    { PARSE_ERROR, "a <> b",                       "write `!=`" },
    { PARSE_ERROR, "a === b",                      "write `==`" },
    { PARSE_ERROR, "a && b",                       "write `and`" },
    { PARSE_ERROR, "a || b",                       "write `or`" },
    { PARSE_ERROR, "x = !a",                       "write `not`" },
    { PARSE_ERROR, "let x = 3",                    "a variable needs no keyword" },
    { PARSE_ERROR, "function f(x) { x }",          "fn name(x) { ... }" },
    { PARSE_ERROR, "2x",                           "write 2 * x" },
    { PARSE_ERROR, "if x = 3 { }",                 "`==` compares" },
    { PARSE_ERROR, "f(a = 1, 2)",                  "positional argument follows" },
    { PARSE_ERROR, "f() = 3",                      "cannot assign to the result of a call" },
    { PARSE_ERROR, "x = 1, 2",                     "x = (1, 2)" },
    { PARSE_ERROR, "break",                        "outside a loop" },
    { PARSE_ERROR, "fn f(a, a) { }",               "two parameters are called `a`" },
    { PARSE_ERROR, "\"\\q\"",                      "no such escape" },
    { PARSE_ERROR, "x = \"\xFF\"",                 "0xFF is no part of a UTF-8 text" },
    { PARSE_ERROR, "x = 1e999",                    "larger than the largest" },
};

static void errors_say_what_to_write(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        Parsed p = parsed(errors[i].text);
        if (p.status != errors[i].status) print_message("%s\n", errors[i].text);
        assert_int_equal(p.status, errors[i].status);
        assert_true(p.errors > 0);
        char *text = diag_text(&p.error[0], DIAG_ERROR, false, 80);
        if (!strstr(text, errors[i].says)) print_message("%s\n%s", errors[i].text, text);
        assert_non_null(strstr(text, errors[i].says));
        free(text);
    }
}

static void parsing_goes_on_after_an_error(void **state) {
    (void)state;
    Parsed p = parsed("x = (1 2)\ny = 3 +* 4\nfn f(1) { }\nz = 5\n");
    assert_int_equal(p.errors, 3);
    assert_int_equal(place_of(p.error[2].span).line, 3);
}

static void a_sign_at_the_start_of_a_line_is_warned_about(void **state) {
    (void)state;
    Parsed p = parsed("x = a\n  + b\n");
    assert_int_equal(p.status, PARSE_OK);
    assert_int_equal(p.warnings, 1);
    assert_int_equal(parsed("x = (a\n + b)\n").warnings, 0);
    assert_int_equal(parsed("x = a;\n-b\n").warnings, 0);
}

static char *repeated(const char *before, const char *part, size_t times, const char *after) {
    size_t bytes = strlen(before) + strlen(part) * times + strlen(after) + 1;
    char *text = malloc(bytes), *out = stpcpy(text, before);
    for (size_t i = 0; i < times; i++) out = stpcpy(out, part);
    strcpy(out, after);
    return text;
}

static void depth_has_limits(void **state) {
    (void)state;
    static const struct {
        const char *before, *part, *after;
        size_t times;
        ParseStatus status;
    } rows[] = {
        { "", "(", "", 100000, PARSE_ERROR },     { "x = ", "[", "", 100000, PARSE_ERROR },
        { "", "{", "", 100000, PARSE_ERROR },     { "x = 1", " + 1", "", 100000, PARSE_ERROR },
        { "", "-", "1", 100000, PARSE_ERROR },    { "", "x -> ", "x", 100000, PARSE_ERROR },
        { "", "f\"{", "", 100000, PARSE_ERROR },  { "", "record <", "", 100000, PARSE_ERROR },
        { "x = 1", " + 1", "", 19000, PARSE_OK }, { "x = [", "1,", "]", 1000000, PARSE_OK },
        { "x = ", "x -> ", "x", 1000, PARSE_OK }, { "", "fn f() {", "", 2500, PARSE_ERROR },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *text = repeated(rows[i].before, rows[i].part, rows[i].times, rows[i].after);
        Parsed p = parsed(text);
        assert_int_equal(p.status, rows[i].status);
        assert_int_equal(p.errors, rows[i].status != PARSE_OK);
        free(text);
    }
}

/* ---- spans, docs, flags ---- */

static void signs_know_their_operands(void **state) {
    (void)state;
    char text[40];
    Ast *sum = parsed("y + f(a, b.c)").program->kids[0];
    assert_string_equal(span_text(sum->span, text, sizeof text), "+");
    assert_string_equal(span_text(sum->span + 1, text, sizeof text), "y");
    assert_string_equal(span_text(sum->span + 2, text, sizeof text), "f(a, b.c)");
    assert_string_equal(span_whole_text(sum->span, text, sizeof text), "y + f(a, b.c)");
    assert_string_equal(span_text(sum->b->span, text, sizeof text), "f");
    assert_string_equal(span_text(sum->b->span + 2, text, sizeof text), "b.c");
    assert_string_equal(span_whole_text(sum->span, text, 9), "y + f...");
    Place place = place_of(parsed("a\n  \xCF\x80 * b").program->kids[1]->span);
    assert_int_equal(place.line, 2);
    assert_int_equal(place.column, 5);
    assert_int_equal(place.operands, 2);
}

static void docstrings_stand_above(void **state) {
    (void)state;
    Fn *fn = parsed("x = 1\n## Adds.\n##   twice\nfn f(a) { a }").program->kids[1]->fn;
    assert_string_equal(fn->doc->text, "Adds.\n  twice");
    assert_null(parsed("## no\n\nfn f(a) { a }").program->kids[0]->fn->doc);
    assert_null(parsed("# no\nfn f(a) { a }").program->kids[0]->fn->doc);
    assert_string_equal(parsed("## a").program->kids ? "none" : "", "none");
}

static void statements_know_their_use(void **state) {
    (void)state;
    Ast *program = parsed("a; if b { c }; d").program;
    assert_int_equal(program->flags & AST_VALUE, AST_VALUE);
    assert_int_equal(program->kids[0]->flags & (AST_QUIET | AST_STATEMENT),
                     AST_QUIET | AST_STATEMENT);
    assert_int_equal(program->kids[1]->b->kids[0]->flags & AST_STATEMENT, AST_STATEMENT);
    assert_int_equal(program->kids[2]->flags & (AST_QUIET | AST_STATEMENT), 0);
}

/* ---- slots ---- */

static Names globals;

static Ast *resolved(const char *text) {
    uint32_t locals;
    Error error;
    Ast *program = parsed(text).program;
    assert_true(resolve(program, &globals, &locals, &error));
    return program;
}

static void names_find_their_slots(void **state) {
    (void)state;
    Fn *f = resolved("fn f(a, b) { x = a; g = () -> x + b + y; x.size }")->kids[0]->fn;
    assert_int_equal(f->local_count, 2);
    assert_string_equal(f->local_names[0]->text, "a");
    assert_string_equal(f->local_names[1]->text, "g");
    assert_int_equal(f->cell_count, 2);
    assert_int_equal(f->captured_count, 0);
    assert_int_equal(f->parameters[0].scope, S_LOCAL);
    assert_int_equal(f->parameters[1].scope, S_CELL);
    Fn *g = f->body->kids[1]->b->fn;
    assert_int_equal(g->captured_count, 2);
    assert_string_equal(f->cell_names[g->captured[0]]->text, "b");
    assert_string_equal(f->cell_names[g->captured[1]]->text, "x");
    assert_ptr_equal(g->outer, f);
    assert_int_equal(g->body->b->scope, S_GLOBAL);
    assert_int_equal(f->body->kids[0]->a->scope, S_CELL);
}

static void captures_pass_through_functions_between(void **state) {
    (void)state;
    Fn *f = resolved("fn f() { x = 1; y = 2; () -> () -> y }")->kids[0]->fn;
    Fn *g = f->body->kids[2]->fn, *h = g->body->fn;
    assert_int_equal(f->cell_count, 1);
    assert_int_equal(f->local_count, 1);
    assert_int_equal(g->captured_count, 1);
    assert_int_equal(h->captured[0], 0);
    assert_int_equal(h->body->scope, S_CELL);
}

static void assigning_makes_local(void **state) {
    (void)state;
    Fn *f = resolved("x = 1\nfn f() { x.w += 1; y[0] = 2; z.attach_grad(); for i in x { }; try { } "
                     "catch e { } }")
                ->kids[1]
                ->fn;
    assert_int_equal(f->local_count, 5);
    assert_int_equal(place_of(f->local_assigned[1]).line, 2);
}

static void hidden_functions_stay_in_reach(void **state) {
    (void)state;
    Fn *f = resolved("fn f(size) { g = size -> x.size }")->kids[0]->fn;
    Ast *field = f->body->kids[0]->b->fn->body;
    assert_int_equal(field->scope, S_LOCAL);
    assert_int_equal(field->b->scope, S_CELL);
    assert_int_equal(field->b->b->scope, S_GLOBAL);
}

static void reads_before_an_assigning_block_are_pinned(void **state) {
    (void)state;
    assert_true(resolved("y = x + if c { x = 2; 1 } else { 0 }")->kids[0]->b->a->flags & AST_PIN);
    assert_false(resolved("y = x + if c { 1 } else { 0 }")->kids[0]->b->a->flags & AST_PIN);
    assert_false(resolved("y = if x > 1 { x = 2; x } else { 0 }")->kids[0]->b->a->a->flags &
                 AST_PIN);
}

/* ---- messages ---- */

static void operands_are_noted_below_the_excerpt(void **state) {
    (void)state;
    Source *source = source_new("train.adl", "w = 1\nx = 2\n    y = w * x\n", 26);
    Span w = span_new(source, 0, 5, 0), product = span_new(source, 22, 23, 2);
    span_set(product + 1, source, 20, 21);
    span_set(product + 2, source, 24, 25);
    span_set_whole(product, 20, 25);
    Error error = { .kind = E_SHAPE, .span = product, .operands = 2 };
    strcpy(error.message, "cannot multiply");
    strcpy(error.hint, "they broadcast");
    error.operand[0] = (ErrorOperand){ 0, "[2, 3]", w };
    error.operand[1] = (ErrorOperand){ 1, "[4]", 0 };
    error.frames = 1;
    error.frame[0] = (ErrorFrame){ product, "step(n = 3)", 998 };
    char *text = diag_text(&error, DIAG_ERROR, false, 80);
    assert_string_equal(text, "error: cannot multiply\n"
                              "  train.adl:3:9\n"
                              "  |\n"
                              "3 |     y = w * x\n"
                              "  |         ^ ~ ^\n"
                              "  |         |   x is [4]\n"
                              "  |         w is [2, 3], from line 1\n"
                              "  = they broadcast\n"
                              "  in step(n = 3), called at train.adl:3:11\n"
                              "     998 more of step\n"
                              "  = adl doc E0399 says more\n");
    free(text);
    text = diag_json(&error, DIAG_ERROR);
    assert_non_null(strstr(text, "\"kind\":\"shape\""));
    assert_non_null(strstr(text, "\"line\":3,\"column\":11"));
    free(text);
}

static void wide_characters_tabs_and_long_lines(void **state) {
    (void)state;
    Parsed p = parsed("\t\xE6\x97\xA5 $");
    char *text = diag_text(&p.error[0], DIAG_ERROR, false, 80);
    assert_non_null(strstr(text, "\n1 |     \xE6\x97\xA5 $\n  |        ^\n"));
    free(text);
    char *line = repeated("x = ", "1 + ", 200, "$");
    p = parsed(line);
    text = diag_text(&p.error[0], DIAG_ERROR, false, 60);
    char *excerpt = strstr(text, "1 | ...");
    assert_non_null(excerpt);
    assert_true(strcspn(excerpt, "\n") <= 60);
    assert_null(strchr(text, '\033'));
    free(line);
    free(text);
}

static void near_names_are_found(void **state) {
    (void)state;
    static const char *const names[] = { "sum", "reshape", "axis", "x" };
    assert_string_equal(nearest_name("smu", 4, names), "sum");
    assert_string_equal(nearest_name("reshpae", 4, names), "reshape");
    assert_string_equal(nearest_name("Axis", 4, names), "axis");
    assert_null(nearest_name("convolve", 4, names));
    assert_null(nearest_name("y", 4, names));
}

/* ---- layout ---- */

static const struct { const char *text, *layout; } layouts[] = {
    { "x=a+b*-c^-2 ;y=not(a)", "x = a + b * -c^-2; y = not (a)\n" },
    { "f( x,*y , k=1 ) [ 1 : 2,:,new ] '", "f(x, *y, k = 1)[1:2, :, new]'\n" },
    { "s={ a:1,\"b\" :{ } }", "s = {a: 1, \"b\": {}}\n" },
    { "if a{b}\nelse   if c {d}\nelse{ }", "if a { b }\nelse if c { d }\nelse { }\n" },
    { "fn  f (a,b=2){\n\nreturn   a\n\n}\n\n\n\nf( 1 )\n\n", "fn f(a, b = 2) {\n    return a\n}\n\nf(1)\n" },
    { "record(train=false)<\ny=x>2\n>\nrecord<record<y=x>>", "record(train = false) <\n    y = x > 2\n>\n"
                                                              "record < record < y = x >>\n" },
    { "record < y = x >\nz", "record < y = x >\nz\n" },
    { "f({\na: 1\n},[\n2\n])", "f({\n    a: 1\n}, [\n    2\n])\n" },
    { "x = a +\nb\ny\n.f( )", "x = a +\n    b\ny\n    .f()\n" },
    { "a # b\nlonger  # c\n        # d\n# e", "a       # b\nlonger  # c\n        # d\n# e\n" },
    { "f\"{ a +b }\"", "f\"{ a +b }\"\n" },
    { "1. .sum()", "1. .sum()\n" },
    { "extern \"m\" {\nfn f( x:out  int * ):double\n}", "extern \"m\" {\n    fn f(x: out int*): double\n}\n" },
    { "extern \"a\",\"b\"{\nstruct p{x:double ,\ny : int [ 3 ]\n}\nfn g=h( c:fn( double,void * ):int ,... ):handle   free  k\nw:void *\nv : int\n}",
      "extern \"a\", \"b\" {\n    struct p { x: double,\n        y: int[3]\n    }\n"
      "    fn g = h(c: fn(double, void*): int, ...): handle free k\n    w: void*\n    v: int\n}\n" },
    { "", "" },
};

static void formatting_gives_one_layout(void **state) {
    (void)state;
    Error error;
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++) {
        char *once =
            format_source(source_new("t", layouts[i].text, strlen(layouts[i].text)), &error);
        assert_string_equal(once, layouts[i].layout);
        char *twice = format_source(source_new("t", once, strlen(once)), &error);
        assert_string_equal(twice, once);
        free(once);
        free(twice);
    }
}

static void formatting_keeps_the_meaning(void **state) {
    (void)state;
    Error error;
    for (size_t i = 0; i < sizeof trees / sizeof *trees; i++) {
        const char *text = trees[i].text;
        char *formatted = format_source(source_new("t", text, strlen(text)), &error);
        assert_int_equal(formatted == NULL, trees[i].tree == NULL);
        if (!formatted) continue;
        char *before = tree_of(parsed(text).program), *after = tree_of(parsed(formatted).program);
        assert_string_equal(before, after);
        free(before);
        free(after);
        free(formatted);
    }
}

/* ---- tokens ---- */

static void tokens_cover_any_text(void **state) {
    (void)state;
    uint32_t random = 1;
    char text[64];
    static const char letters[] = "ab1.\"{}()[]<>=+-'\n\\#:f\"r\xCF\x80\xFF,;^*/ ";
    for (int round = 0; round < 20000; round++) {
        for (size_t i = 0; i < sizeof text; i++)
            text[i] = letters[(random = random * 1664525u + 1013904223u) >> 16 & 31];
        Lexer lexer = lex_start(text, sizeof text, round & 1);
        Token t = lex_next(&lexer);
        for (uint32_t last = 0, steps = 0; t.kind != T_END;
             last = t.end, t = lex_next(&lexer), steps++) {
            assert_true(t.start >= last && t.end >= t.start && t.end <= sizeof text);
            assert_true(steps <= 2 * sizeof text);
        }
        if (round % 8 == 0) parse(source_new("t", text, sizeof text));
    }
}

static int open_all(void **state) { (void)state; runtime_open(); return 0; }
static int close_all(void **state) {
    (void)state;
    mem_free(globals.name, globals.capacity * sizeof *globals.name);
    mem_free(globals.assigned, globals.capacity * sizeof *globals.assigned);
    sources_close();
    runtime_close();
    return mem_counts().blocks != 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_cover_any_text),
        cmocka_unit_test(texts_become_trees),
        cmocka_unit_test(errors_say_what_to_write),
        cmocka_unit_test(parsing_goes_on_after_an_error),
        cmocka_unit_test(a_sign_at_the_start_of_a_line_is_warned_about),
        cmocka_unit_test(depth_has_limits),
        cmocka_unit_test(signs_know_their_operands),
        cmocka_unit_test(docstrings_stand_above),
        cmocka_unit_test(statements_know_their_use),
        cmocka_unit_test(names_find_their_slots),
        cmocka_unit_test(captures_pass_through_functions_between),
        cmocka_unit_test(assigning_makes_local),
        cmocka_unit_test(hidden_functions_stay_in_reach),
        cmocka_unit_test(reads_before_an_assigning_block_are_pinned),
        cmocka_unit_test(operands_are_noted_below_the_excerpt),
        cmocka_unit_test(wide_characters_tabs_and_long_lines),
        cmocka_unit_test(near_names_are_found),
        cmocka_unit_test(formatting_gives_one_layout),
        cmocka_unit_test(formatting_keeps_the_meaning),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
