/* Statements: blocks, conditions, loops, record, try, import. The one idea: break, continue and
 * return set frame->flow, and whoever runs statements stops when it is not FLOW_ON; nothing but
 * errors jumps.
 *
 * A statement ends by unwinding the pool and the tape to where it began (statement_end), but not
 * while a `return` is on its way: its value is still in the pool. */
#include "eval.h"
#include "lex.h"
#include "progress.h"
#include "text.h"
#include <stdio.h>

/* ---- blocks ---- */

void statement_end_slow(const Frame *frame, size_t mark) {
    pool_unwind(mark);
    tape_statement_end(frame->tape_mark);
}

/* Does the flow go on after one statement and its end? */
static inline bool ended(Ast *statement, Frame *frame, size_t mark) {
    if (__builtin_expect(statement->run(statement, frame), 0)) {
        if (frame->flow != FLOW_ON) return false;
        statement_end(frame, mark);
    } else {
        pool_unwind(mark);
    }
    return true;
}

static inline bool run_statements(Ast **kid, Ast **end, Frame *frame) {
    size_t mark = pool_mark();
    for (; kid < end; kid++)
        if (!ended(*kid, frame, mark)) return false;
    return true;
}

bool run_block(Ast *node, Frame *frame) {
    return !run_statements(node->kids, node->kids + node->count, frame);
}

Value eval_block(Ast *node, Frame *frame) {
    bool has_value = node->flags & AST_VALUE;
    Ast **end = node->kids + node->count - has_value;
    if (!run_statements(node->kids, end, frame) || !has_value) return NIL;
    return (*end)->eval(*end, frame);
}

/* A block whose value an unfinished expression waits for: what that recorded is not ours to
 * reclaim. */
Value eval_inner_block(Ast *node, Frame *frame) {
    uint64_t mark = frame->tape_mark;
    frame->tape_mark = tape_position();
    Value v = eval_block(node, frame);
    frame->tape_mark = mark;
    return v;
}

Value eval_if(Ast *node, Frame *frame) {
    if (condition(node->a, frame)) return eval(node->b, frame);
    return node->c ? eval(node->c, frame) : NIL;
}

bool run_if(Ast *node, Frame *frame) {
    if (condition(node->a, frame)) return node->b->run(node->b, frame);
    return node->c && node->c->run(node->c, frame);
}

/* ---- loops ---- */

/* After a turn that did not end normally: does the loop go on? */
static bool goes_on(Frame *frame) {
    if (frame->flow == FLOW_RETURN) return false;
    bool again = frame->flow == FLOW_CONTINUE;
    frame->flow = FLOW_ON;
    return again;
}

/* One turn through a loop's body, whose pool begins at mark; false when the loop is over. */
static inline bool turn(const Ast *body, Frame *frame, size_t mark) {
    Ast **end = body->kids + body->count;
    for (Ast **kid = body->kids; kid < end; kid++) {
        if (__builtin_expect(ended(*kid, frame, mark), 1)) continue;
        if (!goes_on(frame)) return false;
        break;
    }
    statement_end(frame, mark);
    poll();
    return true;
}

bool run_while(Ast *node, Frame *frame) {
    size_t mark = pool_mark();
    while (condition(node->a, frame))
        if (!turn(node->b, frame, mark)) break;
    return true;
}

/* One turn of a `for`. */
static inline bool turn_with(Ast *node, Frame *frame, Value item, size_t mark) {
    Value *place = node->a->kind == A_NAME ? variable_place(node->a, frame) : NULL;
    if (place && (head_of(*place) | head_of(item)) < V_ARRAY) *place = item;
    else assign(node->a, frame, item);
    return turn(node->c, frame, mark);
}

/* A call of a builtin by its name, with `least` to `most` plain arguments. */
static bool is_call_of(const Ast *node, const Frame *frame, Builtin *builtin, uint32_t least,
                       uint32_t most) {
    if (node->kind != A_CALL || node->a->kind != A_NAME || node->a->scope != S_GLOBAL) return false;
    if (!node->op || node->count < least || node->count > most) return false;
    if (frame->variables[S_GLOBAL][node->a->slot].tag != V_UNSET) return false;
    Value *library = library_find(node->a->name);
    return library && is_builtin(*library, builtin);
}

/* `range(...)` of the library with plain arguments: it is counted through and never built. */
static bool is_range_call(const Ast *node, const Frame *frame) {
    return is_call_of(node, frame, builtin_range, 1, 3);
}

static Progression range_of_call(Ast *call, Frame *frame) {
    Value arg[3] = { UNSET, UNSET, UNSET };
    for (uint32_t i = 0; i < call->count; i++) arg[i] = eval(call->kids[i], frame);
    rt.here = call->span;
    return range_of(arg);
}

static void for_range(Ast *node, Frame *frame) {
    Progression p = range_of_call(node->b, frame);
    size_t mark = pool_mark();
    for (int64_t i = 0; i < p.count; i++) {
        if (!turn_with(node, frame, number(p.start + (double)i * p.step), mark)) break;
    }
}

static void for_characters(Ast *node, Frame *frame, String *text) {
    size_t mark = pool_mark(), at = 0;
    for (;;) {
        Value c = string_next(text, &at);
        if (c.tag == V_UNSET || !turn_with(node, frame, c, mark)) return;
    }
}

/* Does a `name op= ...` stand somewhere below? */
static bool updates(const Ast *node, const String *name) {
    if (!node) return false;
    if (node->kind == A_ASSIGN && node->op != OP_NONE && node->a->kind == A_NAME &&
        node->a->name == name)
        return true;
    if (updates(node->a, name) || updates(node->c, name)) return true;
    if (node->kind != A_METHOD && node->kind != A_FIELD && updates(node->b, name)) return true;
    for (uint32_t i = 0; i < node->count; i++) {
        if (updates(node->kids[i], name)) return true;
    }
    return false;
}

/* `for p in params { p -= ... }` trains p and leaves params as they were. */
static void warn_of_update(Ast *node, Value item) {
    if (!is_leaf(item) || rt.recording || node->cache || node->a->kind != A_NAME ||
        !updates(node->c, node->a->name))
        return;
    char text[60], advice[200];
    span_whole_text(node->b->span, text, sizeof text);
    snprintf(advice, sizeof advice,
             "operators map over lists: %s -= 0.1 * grad(%s) updates them all", text, text);
    warn_at(node->a->span, advice,
            "this loop updates `%s`, a copy of each item: `%s` does not change",
            node->a->name->text, text);
    node->cache = node;
}

static void for_items(Ast *node, Frame *frame, Value xs) {
    int64_t count = sequence_length(xs);
    size_t mark = pool_mark();
    if (count && xs.tag == V_LIST) warn_of_update(node, xs.as.list->item[0]);
    for (int64_t i = 0; i < count; i++) {
        rt.here = node->b->span;
        if (!turn_with(node, frame, sequence_item(xs, i), mark)) return;
    }
}

/* ---- for v in progress(xs) ---- */

typedef struct Watched { Ast *node; Frame *frame; Progress line; } Watched;

static void watch_range(Watched *w, Ast *call) {
    Progression p = range_of_call(call, w->frame);
    size_t mark = pool_mark();
    w->line.count = p.count;
    for (int64_t i = 0; i < p.count; i++) {
        progress_turn(&w->line);
        if (!turn_with(w->node, w->frame, number(p.start + (double)i * p.step), mark)) return;
    }
}

static void watch_characters(Watched *w, String *text) {
    size_t mark = pool_mark(), at = 0;
    for (Value c; (c = string_next(text, &at)).tag != V_UNSET;) {
        progress_turn(&w->line);
        if (!turn_with(w->node, w->frame, c, mark)) return;
    }
}

static void watch_items(Watched *w, Value xs) {
    int64_t count = w->line.count = sequence_length(xs);
    size_t mark = pool_mark();
    for (int64_t i = 0; i < count; i++) {
        progress_turn(&w->line);
        rt.here = w->node->b->span;
        if (!turn_with(w->node, w->frame, sequence_item(xs, i), mark)) return;
    }
}

static void run_watched(void *env) {
    Watched *w = env;
    Ast *watched = w->node->b->kids[0];
    if (is_range_call(watched, w->frame)) {
        watch_range(w, watched);
        return;
    }
    Value xs = eval(watched, w->frame);
    rt.here = w->node->b->span;
    Value *held = stack_push(xs);
    if (xs.tag == V_STRING) watch_characters(w, xs.as.string);
    else watch_items(w, xs);
    interp.top = held;
    value_release(xs);
}

/* The line goes away however the loop ends. */
static bool run_for_progress(Ast *node, Frame *frame) {
    Watched watched = { .node = node, .frame = frame };
    Error error;
    progress_begin(&watched.line, -1);
    bool fine = guard(run_watched, &watched, &error);
    progress_end(&watched.line);
    if (!fine) fail_again(&error);
    return true;
}

bool run_for(Ast *node, Frame *frame) {
    if (is_call_of(node->b, frame, builtin_progress, 1, 1)) return run_for_progress(node, frame);
    if (is_range_call(node->b, frame)) {
        for_range(node, frame);
        return true;
    }
    Value xs = eval(node->b, frame);
    rt.here = node->b->span;
    Value *held = stack_push(xs);
    if (xs.tag == V_STRING) {
        for_characters(node, frame, xs.as.string);
    } else {
        for_items(node, frame, xs);
    }
    interp.top = held;
    value_release(xs);
    return true;
}

Value eval_break(Ast *node, Frame *frame) {
    (void)node;
    frame->flow = FLOW_BREAK;
    return NIL;
}

Value eval_continue(Ast *node, Frame *frame) {
    (void)node;
    frame->flow = FLOW_CONTINUE;
    return NIL;
}

Value eval_return(Ast *node, Frame *frame) {
    Value v = node->a ? eval(node->a, frame) : NIL;
    if (frame->flow != FLOW_ON) return NIL;
    frame->result = v;
    frame->flow = FLOW_RETURN;
    return NIL;
}

/* ---- sequences ---- */

int64_t sequence_length(Value v) {
    if (v.tag == V_LIST) return (int64_t)v.as.list->count;
    if (v.tag == V_ARRAY && v.as.array->axes) return shape_of(v.as.array)[0];
    char text[80];
    int64_t n = v.tag == V_NUM && v.as.num >= 0 && v.as.num < 1e15 ? (int64_t)v.as.num : -1;
    if (n >= 0)
        hint("range(%lld) gives the numbers from 0 up to but without %lld", (long long)n,
             (long long)n);
    else if (is_numeric(v)) hint("range(n) gives the numbers from 0 up to but without n");
    if (v.tag == V_STRUCT) hint("keys(s) and values(s) are lists");
    fail(E_TYPE, "cannot walk through %s", describe(v, text, sizeof text));
}

Value sequence_item(Value v, int64_t i) {
    if (v.tag == V_LIST) return v.as.list->item[i];
    Array *a = v.as.array;
    if (a->axes == 1 && a->dtype == F64 && !v.node) return number(*vector_at(a, i));
    return op_index(v, 1, &(IndexItem){ .kind = I_AT, .start = i, .gather = UNSET });
}

static void each_character(String *text, bool (*each)(Value, void *), void *env) {
    size_t at = 0;
    for (;;) {
        Value c = string_next(text, &at);
        if (c.tag == V_UNSET || !each(c, env)) return;
    }
}

void each_item(Value v, bool (*each)(Value item, void *env), void *env) {
    if (v.tag == V_STRING) {
        each_character(v.as.string, each, env);
        return;
    }
    int64_t count = sequence_length(v);
    for (int64_t i = 0; i < count; i++) {
        if (!each(sequence_item(v, i), env)) return;
    }
}

/* ---- record and pause ---- */

static Value with_recording(bool recording, bool training, Ast *body, Frame *frame) {
    bool was_recording = rt.recording, was_training = rt.training;
    rt.recording = recording;
    rt.training = training;
    Value v = eval(body, frame);
    rt.recording = was_recording;
    rt.training = was_training;
    return v;
}

/* The options of record(train = false). */
static bool training_option(Ast *node, Frame *frame) {
    bool training = true;
    for (uint32_t i = 0; i < node->count; i++) {
        Ast *option = node->kids[i];
        rt.here = option->span;
        if (option->kind != A_NAMED || option->name != SYMBOL("train")) {
            hint("write record(train = false) < ... >");
            fail(E_ARGUMENT, "record has one option, `train`");
        }
        training = condition(option->a, frame);
    }
    return training;
}

Value eval_record(Ast *node, Frame *frame) {
    return with_recording(true, training_option(node, frame), node->b, frame);
}

Value eval_pause(Ast *node, Frame *frame) { return with_recording(false, false, node->b, frame); }

/* ---- try ---- */

typedef struct Try { Ast *body; Frame *frame; Value v; } Try;

static void try_body(void *env) {
    Try *t = env;
    t->v = eval(t->body, t->frame);
}

Value error_value(const Error *error) {
    Value err = struct_new(3);
    struct_put(err, SYMBOL("message"), string_of(error->message));
    struct_put(err, SYMBOL("kind"), string_of(error_kind_name(error->kind)));
    struct_put(err, SYMBOL("line"), number(place_of(error->span).line));
    return err;
}

Value eval_try(Ast *node, Frame *frame) {
    Try t = { node->a, frame, NIL };
    uint64_t mark = frame->tape_mark;
    Error error;
    if (guard(try_body, &t, &error)) return t.v;
    frame->tape_mark = mark;
    frame->flow = FLOW_ON;
    if (error.kind == E_INTERRUPT || error.kind == E_EXIT) fail_again(&error);
    if (node->name) value_store(variable_place(node, frame), error_value(&error));
    return eval(node->b, frame);
}

/* ---- modules ---- */

Value eval_import(Ast *node, Frame *frame) {
    rt.here = node->span;
    Value module = module_import(frame->module, node->value.as.string, node->token != T_NAME);
    value_store(variable_place(node, frame), module);
    return NIL;
}
