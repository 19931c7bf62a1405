/* The manual as one page of HTML that needs nothing else: style and script stand in it, code is
 * coloured by adl's own lexer. Every "### name" becomes an article; the search shows the articles
 * that have the word, those that are called so first. */
#include "doc.h"
#include "lex.h"
#include <string.h>

static const char style[] =
    ":root{color-scheme:light "
    "dark;--page:#fdfdfb;--text:#1f2328;--faint:#68707a;--line:#e3e3de;--code:#f4f4ef;"
    "--accent:#0b6e99;--string:#8a5a00;--number:#7a3e9d;--word:#b3261e;--mark:#fff3b0}"
    "@media(prefers-color-scheme:dark){:root{--page:#16181c;--text:#d9dde3;--faint:#8d96a1;--line:#"
    "2b2f36;--code:#1e2127;"
    "--accent:#6cb6d9;--string:#d8a657;--number:#c39ae0;--word:#ef8078;--mark:#4d4420}}"
    "*{box-sizing:border-box}[hidden]{display:none!important}html{scroll-padding-top:1rem}"
    "body{margin:0;background:var(--page);color:var(--text);font:16px/1.55 "
    "system-ui,sans-serif;display:grid;"
    "grid-template-columns:17rem minmax(0,1fr)}"
    "nav{position:sticky;top:0;height:100vh;overflow-y:auto;border-right:1px solid "
    "var(--line);padding:1.2rem 1rem}"
    "nav input{width:100%;font:inherit;padding:.45rem .7rem;border:1px solid "
    "var(--line);border-radius:.5rem;background:var(--code);"
    "color:inherit}nav input:focus{outline:2px solid var(--accent);border-color:transparent}"
    "nav a{display:block;color:inherit;text-decoration:none;padding:.12rem "
    ".4rem;border-radius:.3rem;white-space:nowrap;"
    "overflow:hidden;text-overflow:ellipsis}nav a:hover{background:var(--code);color:var(--accent)}"
    "nav .chapter{font-weight:600;margin-top:.8rem}nav input{margin-bottom:.5rem}nav .entry{font:.85rem/1.5 "
    "ui-monospace,monospace;color:var(--faint)}"
    "main{max-width:52rem;padding:1.5rem 2.5rem 50vh;display:flex;flex-direction:column}"
    "main.searching section{display:contents}main.searching h1,main.searching h2,main.searching "
    ".lead{display:none}"
    "h1{font-size:2rem;margin:.5rem 0}h2{font-size:1.5rem;border-bottom:1px solid "
    "var(--line);padding-bottom:.3rem;margin:3rem 0 .5rem}"
    "h3{font:600 1.05rem/1.4 ui-monospace,monospace;color:var(--accent);margin:0 0 .4rem}h3 "
    "a{color:inherit;text-decoration:none}"
    "article{margin:1.1rem 0;padding:1rem 1.2rem;border:1px solid var(--line);border-radius:.6rem}"
    "article p,article ul{margin:.5rem 0}ul{padding-left:1.3rem}"
    "code{font:.9em ui-monospace,monospace;background:var(--code);padding:.1em "
    ".3em;border-radius:.3em}"
    "pre{background:var(--code);padding:.8rem "
    "1rem;border-radius:.5rem;overflow-x:auto;font:.875rem/1.5 ui-monospace,monospace}"
    "main a{color:var(--accent)}p a code{color:inherit}article>:last-child{margin-bottom:0}"
    "pre code{background:none;padding:0;font:inherit}"
    "table{border-collapse:collapse;width:100%;margin:.8rem 0}th,td{text-align:left;padding:.35rem "
    ".8rem .35rem 0;"
    "border-bottom:1px solid var(--line);vertical-align:top}"
    ".k{color:var(--word)}.n{color:var(--number)}.s{color:var(--string)}.c{color:var(--faint);font-"
    "style:italic}"
    ".none{color:var(--faint)}mark{background:var(--mark);color:inherit}"
    "@media(max-width:50rem){body{display:block}main{padding:0 1rem}html{scroll-padding-top:5rem}"
    "nav{height:auto;overflow:auto hidden;white-space:nowrap;border-right:0;border-bottom:1px solid var(--line);"
    "background:var(--page);padding:.7rem 1rem;z-index:1}nav input{display:block;position:sticky;left:0}"
    "nav .entry{display:none}nav .chapter{display:inline-block;font-size:.85rem;"
    "font-weight:400;margin:0}pre{font-size:.8rem}h1{font-size:1.6rem}h2{margin-top:2rem}}";

static const char script[] =
    "const "
    "box=document.getElementById('search'),main=document.querySelector('main'),none=document."
    "getElementById('none');"
    "const articles=[...document.querySelectorAll('article')].map(e=>({e,name:e.id.toLowerCase(),"
    "title:e.querySelector('h3').textContent.toLowerCase(),text:e.textContent.toLowerCase()}));"
    "function rank(a,words){let best=0;for(const w of words){const last=a.name.split('.').pop();"
    "const "
    "r=a.name===w||last===w?5:last.startsWith(w)?4:a.title.includes(w)?3:a.text.includes(w)?1:0;if("
    "!r)return 0;best+=r}return best}"
    "function search(){const "
    "words=box.value.toLowerCase().split(/\\s+/"
    ").filter(w=>w);main.classList.toggle('searching',words.length>0);"
    "let found=0;for(const a of articles){const "
    "r=words.length?rank(a,words):1;a.e.style.display=r?'':'none';"
    "a.e.style.order=words.length?-r:'';if(r)found++}none.hidden=found>0;"
    "document.querySelectorAll('nav "
    ".entry').forEach(l=>{l.hidden=words.length>0&&document.getElementById(l.hash.slice(1)).style."
    "display==='none'});"
    "document.querySelectorAll('nav "
    ".chapter').forEach(l=>l.hidden=words.length>0);if(words.length)scrollTo(0,0)}"
    "box.addEventListener('input',search);"
    "box.addEventListener('keydown',e=>{if(e.key==='Escape'){box.value='';search()}});"
    "document.addEventListener('keydown',e=>{if(e.key==='/"
    "'&&document.activeElement!==box){e.preventDefault();box.focus();box.select()}});"
    "document.addEventListener('click',e=>{const "
    "l=e.target.closest('a[href^=\"#\"]');if(l&&box.value){box.value='';search()}});"
    "const byName=new Set(articles.map(a=>a.e.id));document.querySelectorAll('article p "
    "code').forEach(c=>{if(byName.has(c.textContent)&&"
    "c.closest('article').id!==c.textContent){const "
    "l=document.createElement('a');l.href='#'+c.textContent;c.replaceWith(l);l.append(c)}});"
    "function route(){const "
    "q=/^#search=(.*)/.exec(location.hash);if(q){box.value=decodeURIComponent(q[1]);search()}}"
    "addEventListener('hashchange',route);route();";

/* ---- text ---- */

static void put_escaped(FILE *out, const char *text, size_t bytes) {
    for (size_t i = 0; i < bytes; i++) {
        switch (text[i]) {
        case '<': fputs("&lt;", out); break;
        case '>': fputs("&gt;", out); break;
        case '&': fputs("&amp;", out); break;
        case '"': fputs("&quot;", out); break;
        default: fputc(text[i], out);
        }
    }
}

static size_t until(const char *text, size_t bytes, size_t from, const char *end) {
    size_t length = strlen(end);
    while (from + length <= bytes && memcmp(text + from, end, length)) from++;
    return from + length <= bytes ? from : bytes;
}

/* `code`, **bold** and *emphasis*. */
static void put_inline(FILE *out, const char *text, size_t bytes) {
    for (size_t i = 0; i < bytes; i++) {
        if (text[i] == '`') {
            size_t end = until(text, bytes, i + 1, "`");
            fputs("<code>", out);
            for (size_t j = i + 1; j < end; j++)
                if (text[j] != '\\' || j + 1 == end || text[j + 1] != '|')
                    put_escaped(out, text + j, 1);
            fputs("</code>", out);
            i = end;
        } else if (text[i] == '*' && i + 1 < bytes && text[i + 1] == '*' &&
                   until(text, bytes, i + 2, "**") < bytes) {
            size_t end = until(text, bytes, i + 2, "**");
            fprintf(out, "<b>%.*s</b>", (int)(end - i - 2), text + i + 2);
            i = end + 1;
        } else if (text[i] == '*' && i + 1 < bytes && (text[i + 1] | 32) >= 'a' &&
                   (text[i + 1] | 32) <= 'z' && until(text, bytes, i + 1, "*") < i + 30 &&
                   until(text, bytes, i + 1, "*") < bytes) {
            size_t end = until(text, bytes, i + 1, "*");
            fprintf(out, "<em>%.*s</em>", (int)(end - i - 1), text + i + 1);
            i = end;
        } else if (text[i] == '\\' && i + 1 < bytes && text[i + 1] == '|') {
            continue;
        } else {
            put_escaped(out, text + i, 1);
        }
    }
}

/* ---- code ---- */

static const char *class_of(int kind) {
    switch (token_class(kind)) {
    case CLASS_COMMENT: return "c";
    case CLASS_NUMBER: case CLASS_CONSTANT: return "n";
    case CLASS_STRING: return "s";
    case CLASS_KEYWORD: return "k";
    default: return NULL;
    }
}

static void put_code(FILE *out, const char *text, size_t bytes) {
    Lexer lexer = lex_start(text, bytes, true);
    uint32_t done = 0;
    for (Token t = lex_next(&lexer); t.kind != T_END; t = lex_next(&lexer)) {
        const char *class = class_of(t.kind);
        put_escaped(out, text + done, t.start - done);
        if (class) fprintf(out, "<span class=%s>", class);
        put_escaped(out, text + t.start, t.end - t.start);
        if (class) fputs("</span>", out);
        done = t.end;
    }
    put_escaped(out, text + done, bytes - done);
}

/* ---- blocks ---- */

/* "matmul(x, y)" is called matmul, "E0301: two arrays" E0301, "if, else" if. */
static size_t name_bytes(const char *heading, size_t bytes) {
    size_t name = strcspn(heading, "(: ,\n");
    return name && name < bytes ? name : bytes;
}

static void put_id(FILE *out, const char *text, size_t bytes) {
    for (size_t i = 0; i < bytes; i++) fputc(strchr(" \"<>&'", text[i]) ? '-' : text[i], out);
}

typedef struct Page { FILE *out; bool section, article, lead; } Page;

static void close_article(Page *p) {
    if (p->article) fputs("</article>\n", p->out);
    if (p->lead) fputs("</div>\n", p->out);
    p->article = p->lead = false;
}

static void open_lead(Page *p) {
    if (p->article || p->lead) return;
    fputs("<div class=lead>\n", p->out);
    p->lead = true;
}

static void heading(Page *p, const char *text, size_t bytes) {
    size_t level = strspn(text, "#");
    text += level + 1;
    bytes -= level + 1;
    close_article(p);
    if (level == 2) {
        fputs(p->section ? "</section>\n<section id=\"" : "<section id=\"", p->out);
        put_id(p->out, text, bytes);
        fputs("\">", p->out);
        p->section = true;
    }
    if (level == 3) {
        fputs("<article id=\"", p->out);
        put_id(p->out, text, name_bytes(text, bytes));
        fputs("\">", p->out);
        p->article = true;
    }
    fprintf(p->out, "<h%zu>", level);
    if (level == 3) {
        fputs("<a href=\"#", p->out);
        put_id(p->out, text, name_bytes(text, bytes));
        fputs("\">", p->out);
    }
    put_escaped(p->out, text, bytes);
    fprintf(p->out, "%s</h%zu>\n", level == 3 ? "</a>" : "", level);
}

static void table_row(FILE *out, const char *line, size_t bytes, const char *tag) {
    fputs("<tr>", out);
    for (size_t i = 1; i < bytes;) {
        size_t end = i;
        while (end < bytes && (line[end] != '|' || line[end - 1] == '\\')) end++;
        if (end < bytes) {
            size_t from = i, to = end;
            while (from < to && line[from] == ' ') from++;
            while (to > from && line[to - 1] == ' ') to--;
            fprintf(out, "<%s>", tag);
            put_inline(out, line + from, to - from);
            fprintf(out, "</%s>", tag);
        }
        i = end + 1;
    }
    fputs("</tr>\n", out);
}

static const char *next_line(const char *text) {
    text += strcspn(text, "\n");
    return text + (*text == '\n');
}

static const char *table(FILE *out, const char *text) {
    fputs("<table>\n", out);
    for (bool first = true; *text == '|'; text = next_line(text), first = false)
        if (strncmp(text, "| ---", 5))
            table_row(out, text, strcspn(text, "\n"), first ? "th" : "td");
    fputs("</table>\n", out);
    return text;
}

static const char *list(FILE *out, const char *text) {
    fputs("<ul>\n", out);
    for (; !strncmp(text, "- ", 2); text = next_line(text)) {
        fputs("<li>", out);
        put_inline(out, text + 2, strcspn(text + 2, "\n"));
        fputs("</li>\n", out);
    }
    fputs("</ul>\n", out);
    return text;
}

static const char *code(FILE *out, const char *text) {
    bool adl = !strncmp(text, "```adl", 6);
    const char *start = next_line(text), *end = strstr(start, "\n```");
    if (!end) return text + strlen(text);
    fputs("<pre><code>", out);
    if (adl) put_code(out, start, (size_t)(end - start));
    else put_escaped(out, start, (size_t)(end - start));
    fputs("</code></pre>\n", out);
    return next_line(end + 1);
}

static bool begins_block(const char *line) { return !*line || strchr("\n#|-`", *line); }

static const char *paragraph(FILE *out, const char *text) {
    size_t bytes = strcspn(text, "\n");
    while (text[bytes] && (text[bytes + 1] == '`' ? strncmp(text + bytes + 1, "```", 3)
                                                  : !begins_block(text + bytes + 1)))
        bytes += 1 + strcspn(text + bytes + 1, "\n");
    fputs("<p>", out);
    put_inline(out, text, bytes);
    fputs("</p>\n", out);
    return text + bytes;
}

static void body(FILE *out, const char *text) {
    Page p = { .out = out };
    while (*text) {
        if (*text == '\n') { text++; continue; }
        if (*text == '#') {
            heading(&p, text, strcspn(text, "\n"));
            text = next_line(text);
            continue;
        }
        open_lead(&p);
        if (*text == '|') text = table(out, text);
        else if (!strncmp(text, "- ", 2)) text = list(out, text);
        else if (!strncmp(text, "```", 3)) text = code(out, text);
        else text = paragraph(out, text);
    }
    close_article(&p);
    if (p.section) fputs("</section>\n", out);
}

/* A link for each heading. */
static void contents(FILE *out, const char *text) {
    bool fenced = false;
    for (; *text; text = next_line(text)) {
        if (!strncmp(text, "```", 3)) fenced = !fenced;
        size_t level = strspn(text, "#");
        if (fenced || level < 2 || text[level] != ' ') continue;
        const char *title = text + level + 1;
        size_t bytes = strcspn(title, "\n"), name = level == 3 ? name_bytes(title, bytes) : bytes;
        fprintf(out, "<a class=%s href=\"#", level == 2 ? "chapter" : "entry");
        put_id(out, title, name);
        fputs("\">", out);
        put_escaped(out, title, title[name] == ':' || title[name] == ',' ? bytes : name);
        fputs("</a>\n", out);
    }
}

void draw_html(FILE *out, const char *markdown) {
    fputs("<!doctype html>\n<html lang=en>\n<meta charset=utf-8>\n<meta name=viewport "
          "content=\"width=device-width\">\n"
          "<title>adl: the reference manual</title>\n<style>",
          out);
    fputs(style, out);
    fputs("</style>\n<nav><input id=search type=search placeholder=\"Search  ( / )\" "
          "aria-label=Search autocomplete=off>\n",
          out);
    contents(out, markdown);
    fputs("</nav>\n<main>\n<p id=none class=none hidden>Nothing has all of these words.</p>\n",
          out);
    body(out, markdown);
    fputs("</main>\n<script>", out);
    fputs(script, out);
    fputs("</script>\n</html>\n", out);
}
