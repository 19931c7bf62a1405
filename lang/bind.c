/* Arguments to parameters. The one idea: one binder serves closures, builtins and foreign functions
 * alike, driven by a Signature: it puts positional, named, spread and collected arguments where
 * they belong, and says what is wrong with a call in the words of the function's own signature. */
#include "bind.h"
#include "diag.h"
#include "ffi_call.h"
#include "text.h"
#include <stdio.h>
#include <string.h>

/* ---- signatures ---- */

bool has_plain_arguments(const Ast *call) {
    for (uint32_t i = 0; i < call->count; i++) {
        if (call->kids[i]->kind == A_NAMED || call->kids[i]->kind == A_SPREAD) return false;
    }
    return true;
}

const char *fn_name(const Fn *fn) { return fn->name ? fn->name->text : "lambda"; }

const Signature *fn_signature(Fn *fn) {
    if (fn->signature) return fn->signature;
    Source *source = place_of(fn->span).source;
    Signature *s = arena_alloc(source, sizeof *s);
    s->name = fn_name(fn);
    s->count = fn->parameter_count;
    s->required = fn->required;
    s->rest = fn->collects ? (int32_t)fn->parameter_count - 1 : -1;
    s->parameter = arena_alloc(source, (s->count + 1) * sizeof *s->parameter);
    for (uint32_t i = 0; i < s->count; i++) s->parameter[i] = fn->parameters[i].name;
    return fn->signature = s;
}

static void add_parameter(Buffer *b, const Fn *fn, uint32_t i) {
    const Parameter *p = &fn->parameters[i];
    char text[60];
    if (fn->collects && i == fn->parameter_count - 1) buffer_char(b, '*');
    buffer_text(b, p->name ? p->name->text : span_text(p->span, text, sizeof text));
    if (p->default_value)
        buffer_format(b, " = %s", span_whole_text(p->default_value->span, text, sizeof text));
}

const char *function_signature(Function *f, char *buffer, size_t bytes) {
    const BuiltinRow *row = f->row;
    if (row) {
        snprintf(buffer, bytes, "%s%s", row->name, row->signature);
    } else if (f->call == closure_call) {
        const Fn *fn = ((Closure *)f)->fn;
        size_t mark = pool_mark();
        Buffer b = { 0 };
        for (uint32_t i = 0; i < fn->parameter_count; i++) {
            if (i) buffer_text(&b, ", ");
            add_parameter(&b, fn, i);
        }
        snprintf(buffer, bytes, "%s(%.*s)", fn_name(fn), (int)b.bytes, b.text ? b.text : "");
        pool_unwind(mark);
    } else if (foreign_signature(f)) {
        snprintf(buffer, bytes, "%s", foreign_signature(f)->text);
    } else {
        snprintf(buffer, bytes, "%s(...)", f->name ? f->name->text : "function");
    }
    return buffer;
}

/* ---- binding ---- */

static bool add_argument(Value v, void *env) {
    Arguments *a = env;
    if (a->count == a->capacity) {
        Value *old = a->grown;
        a->capacity = a->capacity ? 2 * a->capacity : FEW_ARGUMENTS;
        a->grown = pool_bytes(a->capacity * sizeof *old);
        if (a->count) memcpy(a->grown, old, a->count * sizeof *old);
        a->positional = a->grown;
    }
    a->grown[a->count++] = v;
    return true;
}

void eval_arguments(Ast *node, Frame *frame, const Value *receiver, Arguments *a) {
    *a = (Arguments){ .named = node->op ? NULL : pool_bytes((node->count + 1) * sizeof(Named)) };
    if (receiver) add_argument(*receiver, a);
    for (uint32_t i = 0; i < node->count; i++) {
        Ast *kid = node->kids[i];
        if (kid->kind == A_NAMED) {
            a->named[a->named_count++] = (Named){ kid->name, eval(kid->a, frame), kid->span };
        } else if (kid->kind == A_SPREAD) {
            Value list = eval(kid->a, frame);
            rt.here = kid->span;
            each_item(list, add_argument, a);
        } else {
            add_argument(eval(kid, frame), a);
        }
    }
}

static _Noreturn void fail_count(Function *f, const Signature *s, uint32_t count) {
    char text[300];
    function_signature(f, text, sizeof text);
    const char *most = s->required == s->count           ? ""
                       : s->rest < 0 && count > s->count ? "at most "
                                                         : "at least ";
    uint32_t want = count > s->count ? s->count : s->required;
    fail(E_ARGUMENT, "%s takes %s%u argument%s, but %u %s given", text, most, want,
         want == 1 ? "" : "s", count, count == 1 ? "was" : "were");
}

static _Noreturn void fail_missing(Function *f, const Signature *s, uint32_t i) {
    char text[300];
    fail(E_ARGUMENT, "%s needs `%s`, which is not given", function_signature(f, text, sizeof text),
         s->parameter[i] ? s->parameter[i]->text : "a list");
}

static _Noreturn void fail_named(Function *f, const Signature *s, const Named *named) {
    char text[300];
    const char **names = pool_bytes((s->count + 1) * sizeof *names);
    size_t count = 0;
    for (uint32_t i = 0; i < s->count; i++) {
        if (s->parameter[i] && (int32_t)i != s->rest) names[count++] = s->parameter[i]->text;
    }
    const char *nearest = nearest_name(named->name->text, count, names);
    if (nearest) hint("did you mean `%s`?", nearest);
    fail_at(named->span, E_ARGUMENT, "%s has no parameter `%s`",
            function_signature(f, text, sizeof text), named->name->text);
}

static void bind_named(Function *f, const Signature *s, const Named *named, Value *bound) {
    for (uint32_t i = 0; i < s->count; i++) {
        if (s->parameter[i] != named->name || (int32_t)i == s->rest) continue;
        if (bound[i].tag != V_UNSET) {
            char text[300];
            fail_at(named->span, E_ARGUMENT, "%s is given `%s` twice",
                    function_signature(f, text, sizeof text), named->name->text);
        }
        bound[i] = named->value;
        return;
    }
    fail_named(f, s, named);
}

void bind_arguments(Function *f, const Signature *s, const Arguments *a, Value *bound) {
    uint32_t places = s->rest < 0 ? s->count : (uint32_t)s->rest;
    uint32_t direct = a->count < places ? a->count : places;
    for (uint32_t i = 0; i < s->count; i++) bound[i] = i < direct ? a->positional[i] : UNSET;
    if (s->rest >= 0) {
        bound[s->rest] =
            list_of(a->count - direct, a->count > direct ? a->positional + direct : NULL);
    } else if (a->count > places) {
        fail_count(f, s, a->count);
    }
    for (uint32_t i = 0; i < a->named_count; i++) bind_named(f, s, &a->named[i], bound);
    for (uint32_t i = 0; i < s->required; i++) {
        if (bound[i].tag != V_UNSET) continue;
        if (!a->named_count) fail_count(f, s, a->count);
        fail_missing(f, s, i);
    }
}
