"""Writes fixtures/csv-as-python-reads-it.jsonl: odd CSV texts, and the rows that Python's csv module reads in them.

Run it again only to change the corpus: python3 tests/it/corpus/generate.py (3.11 or later, where NUL is text).
A line holds `text`, `delimiter`, `open` (a quote is open at the end), and `rows`, each as [line, cell, cell, ...].
"""

import csv
import io
import json
import pathlib
import random

FIXTURE = pathlib.Path(__file__).parents[3] / "fixtures" / "csv-as-python-reads-it.jsonl"
DELIMITERS = [",", ";", "|", "\t"]
RANDOM_TEXTS = 200

# `,` stands for the delimiter and `\n` for the line's end; each is written with every delimiter or line end in turn.
BODIES = [
    "a,b,c\n", "a,b,c", "a,b,\n", "a,b,", "a,,\n", "a,,", ",,\n", ",b,c\n", "", "\n", "\n\na,b,c\n\n\nd,e,f\n\n",
    "a,b\n", "a\n", "a,b,c,d\n", "a,b,c,\n", "a,b,c\nd,e\nf,g,h\n", "a,b,c\nd,e,f,g\nh,i,j\n", ",\n", " \n",
    'a,"b",c\n', '"a","b","c"\n', '"a","b","c"', 'a,"",c\n', '"","",""\n', 'a,"",""', '""\n', '""',
    'a,"x,y",c\n', 'a,"x\ny",c\n', 'a,"x\ny\nz",c\nd,e,f\n', 'a,"\n",c\nd,"\n\n",f\ng,h,i\n', '"\n\n","x",y\nd,e,f',
    'a,"x""y",c\n', 'a,"""x""",c\n', 'a,"""",c\n', 'a,"""""",c\n', 'a,"x""",c\n', 'a,"""\n""",c\nd,e,f\n',
    'a,x"y,c\n', 'a,x"y"z,c\n', 'a,x",c\n', 'a,x"",c\n', 'a,"x"y,c\n', 'a,"x"y"z",c\n', 'a,"x" ,c\n', 'a,"x""y"z,c\n',
    'a, "x",c\n', 'a, "x" ,c\n', 'a, "x,c\nd,e,f\n', ' a , b , c \n', '"a" ,b,c\n', ' "a",b,c\n', 'a,b, "c"\n',
    'a,"b,c\n', 'a,"b,c\nd,e,f\n', 'a,b,"', 'a,b,c\n"', '"a', 'a,b,c"\n', 'a,b,"c""', 'a,b,"c\n""\n', 'a,"b"",c\n',
    "UserID,Nick,FaceUrl\na,b,c\n", "a,b,c\nUserID,Nick,FaceUrl\nd,e,f\n", 'a,b,c\n"UserID","Nick","FaceUrl"\nd,e,f\n',
    "UserID,Nick,Other\n", "a,b,c\nUserID,Nick\n", "userid,nick,faceurl\na,b,c\n",
    "a\0b,c,d\n", "a,b\0c,d\n", 'a,"b\0\n",d\ne,f,g\n', "\0,\0,\0\n", "a,b,c\n\0\n",
    "1.23457E+19,b,c\n1.5,d,e\n", "1E+15,b,c\n", "007,b,c\n", '="007",b,c\n', '"=""007""",b,c\n', "'007,b,c\n", "+7,b,c\n",
    "张三,昵称,链接\n", 'é,"ü\nö",ß\n', "a,🙂,c\n", "a\u00a0,b,c\n", "a,\u2028,c\n", "a\u0085b,c,d\n", "a\x0bb,c\x0cd,e\x1cf\n",
    "a,b\\,c\n", 'a,"b\\",c\n', 'a,"b\\""c",d\n', "#a,b,c\n", "a,b,c\n#d\n", "--,//,/*\n",
    "x" * 40 + ",b,c\n", "a," + "n" * 501 + ",c\n", "a," + "n" * 5000 + "\n", 'a,"' + "n,\n" * 100 + '",c\nd,e,f\n',
    "@TIM#a,b,c\n", "a,b,c\na,b,c\na,d,e\n", 'a,b,c\n"a","b","c"\n', " a,b,c\na,b,c\n",
]
HEADERS = [
    "UserID,Nick,FaceUrl\n", '"UserID","Nick","FaceUrl"\n', "\n\nUserID,Nick,FaceUrl\n", "\ufeffUserID,Nick,FaceUrl\n",
    "Nick,FaceUrl,UserID\n", "UserID,Nick,FaceUrl,x\n", 'UserID,Nick,"a\nb",FaceUrl\n', 'UserID,Nick,FaceUrl,"x"y\n',
    "UserID,Nick,,FaceUrl,\n", 'UserID,Nick,FaceUrl,"say ""x"""\n',
]
PIECES = ["a", "b1", "张", " ", '"', '"', '"', '""', ",", ",", ",", "\n", "\n", "\r", "\n\n", "x y", "\0", '","', '"\n"', "\\", "'"]


def read(text, delimiter):
    lines = io.StringIO(text.removeprefix("\ufeff"), newline="")
    reader = csv.reader(lines, delimiter=delimiter)
    before, rows = 0, []
    for cells in reader:
        rows.append([before + 1, *cells])
        before = reader.line_num
    return rows


def entry(text, delimiter):
    # Python reads an open quote to the end without a word; a line more shows whether it would be a part of the quote.
    is_open = read(text + "\nEND", delimiter)[-1][1:] != ["END"]
    return {"text": text, "delimiter": delimiter, "open": is_open, "rows": read(text, delimiter)}


def texts(rng):
    ends = ["\n", "\r\n", "\r"]
    for number, body in enumerate(BODIES):
        yield HEADERS[0] + body, ",", "\n"
        yield HEADERS[0] + body, DELIMITERS[number % 4], ends[number % 3]
    for number, header in enumerate(HEADERS):
        width = len(read(header, ",")[-1]) - 1
        row = ",".join(f"c{column}" for column in range(width))
        yield header + row + '\n"q' + row + '",x\n', DELIMITERS[number % 4], ends[number % 3]
    for _ in range(RANDOM_TEXTS):
        body = "".join(rng.choice(PIECES) for _ in range(rng.randint(1, 30)))
        yield HEADERS[0] + body, rng.choice(DELIMITERS), rng.choice(["\n", "\n", "\r\n"])


def main():
    written = set()
    with FIXTURE.open("w", encoding="utf-8", newline="\n") as fixture:
        for text, delimiter, end in texts(random.Random(1)):
            text = text.replace(",", delimiter).replace("\n", end)
            line = json.dumps(entry(text, delimiter), ensure_ascii=False, separators=(",", ":"))
            if line not in written:
                written.add(line)
                fixture.write(line + "\n")


main()
