/* Pictures as PNG, drawn by Cairo. The one idea: a picture is the struct of shapes that
 * stdlib/plot.adl also writes as SVG, so the two look alike; the file appears under its name only
 * when it is complete. */
#include "builtins.h"
#include "io.h"
#include "text.h"
#include <cairo.h>
#include <dlfcn.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_PIXELS = 20000, SCALE = 2 };   /* two pixels for each unit, for screens of today */

/* Cairo is loaded when the first picture is drawn: linked, it would make every start slower by the
 * time that its own libraries take. */
#define FUNCTIONS(F) \
    F(arc) F(create) F(destroy) F(fill) F(image_surface_create) F(line_to) F(move_to) \
    F(rectangle) F(restore) F(rotate) F(save) F(scale) F(select_font_face) F(set_font_size) \
    F(set_line_join) F(set_line_width) F(set_source_rgba) F(show_text) F(status_to_string) \
    F(stroke) F(surface_destroy) F(surface_write_to_png_stream) F(text_extents) F(translate)
static struct {
#define F(name) __typeof__(&cairo_##name) name;
    FUNCTIONS(F)
#undef F
} cairo;

static void load_cairo(void) {
    if (cairo.create) return;
    void *library = dlopen("libcairo.so.2", RTLD_NOW | RTLD_LOCAL);
    if (!library) library = dlopen("libcairo.2.dylib", RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        hint("install Cairo (libcairo2); .svg needs no library");
        fail(E_IO, "cannot write .png: Cairo is not there");
    }
#define F(name) cairo.name = (__typeof__(&cairo_##name))dlsym(library, "cairo_" #name);
    FUNCTIONS(F)
#undef F
}

static Value field(Value shape, String *name, const char *of) {
    Value *v = struct_find(shape, name);
    if (!v) fail(E_VALUE, "%s of a picture needs a field `%s`", of, name->text);
    return *v;
}

static double number_in(Value shape, String *name) {
    return arg_number(field(shape, name, "a shape"), name->text);
}

static const char *text_in(Value shape, String *name) {
    Value v = field(shape, name, "a shape");
    if (v.tag != V_STRING) fail(E_TYPE, "`%s` of a shape is a string", name->text);
    return v.as.string->text;
}

/* "#0072b2" */
static void set_paint(cairo_t *c, Value shape) {
    unsigned long code = strtoul(text_in(shape, SYMBOL("paint")) + 1, NULL, 16);
    cairo.set_source_rgba(c, (double)(code >> 16 & 255) / 255, (double)(code >> 8 & 255) / 255,
                          (double)(code & 255) / 255, number_in(shape, SYMBOL("opacity")));
}

static void draw_line(cairo_t *c, Value shape) {
    Array *x = arg_array(field(shape, SYMBOL("x"), "a line"), "x"),
          *y = arg_array(field(shape, SYMBOL("y"), "a line"), "y");
    bool pen = false;
    cairo.set_line_width(c, number_in(shape, SYMBOL("width")));
    cairo.set_line_join(c, CAIRO_LINE_JOIN_ROUND);
    for (int64_t i = 0; i < x->size && i < y->size; i++) {
        double px = array_get(x, i), py = array_get(y, i);
        bool seen = isfinite(px) && isfinite(py);
        if (seen && pen) cairo.line_to(c, px, py);
        else if (seen) cairo.move_to(c, px, py);
        pen = seen;
    }
    cairo.stroke(c);
}

static void draw_dots(cairo_t *c, Value shape) {
    Array *x = arg_array(field(shape, SYMBOL("x"), "dots"), "x"),
          *y = arg_array(field(shape, SYMBOL("y"), "dots"), "y");
    for (int64_t i = 0; i < x->size && i < y->size; i++) {
        if (!isfinite(array_get(x, i)) || !isfinite(array_get(y, i))) continue;
        cairo.arc(c, array_get(x, i), array_get(y, i), number_in(shape, SYMBOL("radius")), 0,
                  2 * 3.14159265358979);
        cairo.fill(c);
    }
}

static void draw_box(cairo_t *c, Value shape) {
    cairo.rectangle(c, number_in(shape, SYMBOL("x")), number_in(shape, SYMBOL("y")),
                    number_in(shape, SYMBOL("width")), number_in(shape, SYMBOL("height")));
    cairo.fill(c);
}

static void draw_text(cairo_t *c, Value shape) {
    const char *text = text_in(shape, SYMBOL("text")), *anchor = text_in(shape, SYMBOL("anchor"));
    bool bold = arg_bool(field(shape, SYMBOL("bold"), "a text"), "bold");
    cairo_text_extents_t size;
    const Value *mono = struct_find(shape, SYMBOL("mono"));
    bool fixed = mono && arg_bool(*mono, "mono");
    cairo.select_font_face(c, fixed ? "monospace" : "sans-serif", CAIRO_FONT_SLANT_NORMAL,
                           bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
    cairo.set_font_size(c, number_in(shape, SYMBOL("size")));
    cairo.text_extents(c, text, &size);
    cairo.save(c);
    cairo.translate(c, number_in(shape, SYMBOL("x")), number_in(shape, SYMBOL("y")));
    if (arg_bool(field(shape, SYMBOL("upright"), "a text"), "upright"))
        cairo.rotate(c, -3.14159265358979 / 2);
    double share = !strcmp(anchor, "middle") ? 0.5 : !strcmp(anchor, "end") ? 1 : 0;
    cairo.move_to(c, -share * size.x_advance, 0);
    cairo.show_text(c, text);
    cairo.restore(c);
}

static void draw_shape(cairo_t *c, Value shape) {
    if (shape.tag != V_STRUCT) fail(E_TYPE, "a shape of a picture is a struct");
    const char *kind = text_in(shape, SYMBOL("kind"));
    set_paint(c, shape);
    if (!strcmp(kind, "line")) draw_line(c, shape);
    else if (!strcmp(kind, "dots")) draw_dots(c, shape);
    else if (!strcmp(kind, "box")) draw_box(c, shape);
    else if (!strcmp(kind, "text")) draw_text(c, shape);
    else
        fail(E_VALUE,
             "the kind of a shape of a picture is \"line\", \"dots\", \"box\" or \"text\", not "
             "\"%.20s\"",
             kind);
}

static cairo_status_t add_bytes(void *buffer, const unsigned char *bytes, unsigned count) {
    buffer_add(buffer, (const char *)bytes, count);
    return CAIRO_STATUS_SUCCESS;
}

static void close_surface(void *surface) { if (surface) cairo.surface_destroy(surface); }
static void close_context(void *context) { if (context) cairo.destroy(context); }

Value builtin_write_png(int count, const Value *arg) {
    (void)count;
    char text[80];
    if (arg[0].tag != V_STRING)
        fail(E_TYPE, "the path of write_png must be a string, not %s",
             describe(arg[0], text, sizeof text));
    if (arg[1].tag != V_STRUCT)
        fail(E_TYPE, "a picture is a struct, not %s", describe(arg[1], text, sizeof text));
    io_allow("writing a file");
    load_cairo();
    double width = number_in(arg[1], SYMBOL("width")), height = number_in(arg[1], SYMBOL("height"));
    if (!(width >= 1 && height >= 1 && width * SCALE <= MOST_PIXELS &&
          height * SCALE <= MOST_PIXELS))
        fail(E_VALUE, "a picture has 1 to %d units each way, not %g by %g", MOST_PIXELS / SCALE,
             width, height);
    Value shapes = field(arg[1], SYMBOL("shapes"), "the struct");
    if (shapes.tag != V_LIST)
        fail(E_TYPE, "`shapes` of a picture is a list, not %s",
             describe(shapes, text, sizeof text));
    Handle *surface_owner = io_own(close_surface), *context_owner = io_own(close_context);
    cairo_surface_t *surface =
        cairo.image_surface_create(CAIRO_FORMAT_RGB24, (int)(width * SCALE), (int)(height * SCALE));
    surface_owner->pointer = surface;
    cairo_t *context = cairo.create(surface);
    context_owner->pointer = context;
    cairo.scale(context, SCALE, SCALE);
    for (size_t i = 0; i < shapes.as.list->count; i++) draw_shape(context, shapes.as.list->item[i]);
    Buffer png = { 0 };
    cairo_status_t status = cairo.surface_write_to_png_stream(surface, add_bytes, &png);
    if (status) fail(E_IO, "cannot draw the picture: %s", cairo.status_to_string(status));
    io_write_file(arg[0].as.string, png.text, png.bytes);
    return NIL;
}
