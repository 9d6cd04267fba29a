# SPDX-License-Identifier: MIT
"""Draws the results of run.py as an SVG chart: a row for each workload, a mark for each contender at its ratio to system calls."""
import math
from xml.sax.saxutils import escape

LEFT, RIGHT, TOP, ROW, WIDTH = 230, 30, 78, 26, 900
LOW, HIGH = 0.05, 500
COLOURS = {'pysock': '#0072b2', 'pysock, strings': '#56b4e9', 'Asio': '#d55e00', 'Poco': '#009e73', 'libevent': '#cc79a7', 'libuv': '#999933',
           'CPython': '#e69f00'}


def position(ratio):
    share = math.log(min(max(ratio, LOW), HIGH) / LOW) / math.log(HIGH / LOW)
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def text(x, y, content, **attributes):
    extra = ''.join(f' {name.replace("_", "-")}="{value}"' for name, value in attributes.items())
    return f'<text x="{x:.1f}" y="{y:.1f}"{extra}>{escape(content)}</text>'


def draw(facts, names):
    results, machine = facts['workloads'], facts['machine']
    bottom = TOP + ROW * len(results)
    height = bottom + 92
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="12" fill="#222">',
        '<title>Time per operation, as a ratio to hand-written system calls</title>',
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        text(16, 26, 'Time per operation, as a ratio to hand-written system calls', font_size=17, font_weight='bold'),
    ]
    x = 16
    for name, colour in COLOURS.items():
        parts += [f'<circle cx="{x + 5}" cy="46" r="5" fill="{colour}"/>', text(x + 15, 50, name)]
        x += 36 + 7 * len(name)
    parts += [f'<rect x="{x}" y="40" width="20" height="12" fill="#ddd"/>', text(x + 26, 50, 'raw against itself: the noise')]
    for tick in (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500):
        colour = '#555' if tick == 1 else '#e4e4e4'
        parts += [f'<path d="M{position(tick):.1f} {TOP - 4}V{bottom}" stroke="{colour}"/>',
                  text(position(tick), bottom + 16, f'{tick:g}', text_anchor='middle')]
    parts.append(text(position(1), bottom + 32, 'faster ← 1 → slower', text_anchor='middle'))
    for row, (workload, result) in enumerate(results.items()):
        y = TOP + ROW * row + ROW / 2
        low, high = result['control']['quartiles']
        parts += [text(LEFT - 12, y + 4, names[workload], text_anchor='end'),
                  f'<rect x="{position(low):.1f}" y="{y - 9:.1f}" width="{max(position(high) - position(low), 2):.1f}" height="18" '
                  'fill="#ddd"/>']
        for name in reversed([name for name in COLOURS if name in result]):
            ratio, nanoseconds = result[name]['ratio'], result[name]['nanoseconds']
            label = f'{name}: {ratio:.2f}, {nanoseconds:.0f} ns'
            parts.append(f'<circle cx="{position(ratio):.1f}" cy="{y:.1f}" r="5" fill="{COLOURS[name]}" stroke="#fff" stroke-width="0.7">'
                         f'<title>{escape(label)}</title></circle>')
    parts += [
        text(16, bottom + 60, f'{machine["processor"]}, one processor of it; {machine["kernel"]}; {machine["compiler"]}; {machine["libc"]}',
             font_size=11),
        text(16, bottom + 76, f'{machine["peers"]}. Medians of {facts["rounds"]} interleaved rounds.', font_size=11),
        '</svg>',
    ]
    return '\n'.join(parts) + '\n'
