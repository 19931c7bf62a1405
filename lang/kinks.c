/* kinks(f): the steps behind f whose values sat on a kink, where the derivative jumps and adl had
 * to choose; watch(x): a line whenever the adjoint of x is complete. */
#include "builtins.h"
#include "flow.h"
#include "kink_text.h"
#include "views.h"
#include "io.h"
#include "format.h"
#include "source.h"
#include <string.h>

/* ---- kinks ---- */
static Value kink_row(const Wengert *w, uint32_t step, int64_t elements, const char *rule) {
    Value row = struct_new(5);
    view_put(row, "step", number(step + 1));
    view_put(row, "line", number(wengert_line(w, step)));
    view_put(row, "text", string_of(wengert_text(w, step, 400)));
    view_put(row, "elements", number((double)elements));
    view_put(row, "rule", string_of(rule));
    return row;
}

/* Of a maximum those that compete count, else those of the result. */
static int64_t elements_of(const Wengert *w, uint32_t step) {
    Value r = wengert_value(w, step), x = wengert_input(w, step, 0).value;
    int64_t size = is_numeric(r) ? size_of(r) : 0;
    return is_numeric(x) && size_of(x) > size ? size_of(x) : size;
}

static void show_kink(Buffer *b, const Wengert *w, uint32_t step, int64_t elements,
                      const char *rule) {
    int64_t all = elements_of(w, step);
    Flow flow = { b, 4, screen_columns(), 4, true };
    buffer_text(b, "  - ");
    flow_words(&flow, STYLE_NAME, wengert_text(w, step, 50));
    flow_words(&flow, STYLE_DIM,
               string_format("%s:", view_at(wengert_span(w, step))).as.string->text);
    if (all > 1)
        flow_words(&flow, STYLE_PLAIN,
                   string_format("%s of %lld,", counted((uint64_t)elements, "element"),
                                 (long long)all)
                       .as.string->text);
    flow_words(&flow, STYLE_WARNING, rule);
    flow_end(&flow);
}

Value builtin_kinks(int count, const Value *arg) {
    (void)count;
    Wengert *w = wengert_of(arg[0], "kinks");
    Value rows = list_new(0);
    Buffer b = { 0 }, head = { 0 };
    for (uint32_t step = 0; step < w->count; step++) {
        const char *rule;
        int64_t elements = kink_of_step(w, step, &rule);
        if (elements <= 0) continue;
        rows = list_push(rows, kink_row(w, step, elements, rule));
        enum { MOST = 40 };
        if (rows.as.list->count <= MOST) show_kink(&b, w, step, elements, rule);
        poll();
    }
    size_t found = rows.as.list->count;
    buffer_format(&head, "%s: %s behind it sit%s on a kink", view_head_name(w),
                  found ? counted(found, "step") : "no step", found == 1 || !found ? "s" : "");
    Buffer text = { 0 };
    style_text(&text, STYLE_TITLE, buffer_string(&head).as.string->text, -1);
    buffer_char(&text, '\n');
    buffer_add(&text, b.text ? b.text : "", b.bytes);
    return view_done(&text, rows, arg[1]);
}

/* ---- watch ---- */
typedef struct Watch { Function head; String *label; } Watch;

static Value show_adjoint(Function *self, int count, const Value *args) {
    (void)count;
    Buffer b = { 0 };
    buffer_format(&b, "adjoint of %s: ", ((Watch *)self)->label->text);
    format_value(&b, args[0], NULL);
    buffer_char(&b, '\n');
    io_write(b.text, b.bytes);
    return NIL;
}

static void free_watch(Function *self) { obj_drop(((Watch *)self)->label); }

/* What the call says: watch(h) calls it h. */
static String *label_of(Value given) {
    char text[60] = "";
    if (given.tag == V_STRING) return given.as.string;
    if (place_of(rt.here).operands) span_text(rt.here + 1, text, sizeof text);
    return string_of(*text ? text : "x").as.string;
}

static void check_watched(Value x) {
    char what[80];
    if (!is_numeric(x)) {
        note_operand(0, x);
        hint("watch one of its parts: watch(model.w)");
        fail(E_TYPE, "watch shows the adjoint of one array or number, not of %s",
             describe(x, what, sizeof what));
    }
    if (x.node) return;
    note_operand(0, x);
    hint("watch leaves (attach_grad) and what is computed from them inside record < ... >");
    fail(E_GRADIENT, "watch: this value is not on the tape, so no sweep will reach it");
}

Value builtin_watch(int count, const Value *arg) {
    (void)count;
    check_watched(arg[0]);
    Function *hook = function_new(sizeof(Watch), "watch", show_adjoint);
    String *label = label_of(arg[1]);
    obj_keep(label);
    ((Watch *)hook)->label = label;
    hook->free = free_watch;
    sweep_hook(arg[0], object(hook));
    return arg[0];
}
