import json,sys
from fractions import Fraction
from pathlib import Path
from bench.harness import *
from bench import tighten as T
talks=[]
for s in ("av1","av2"):
    p=Path(f"/work/recipes/{s}/talks/truth.json")
    talks+=[(p.parent,i) for i in json.loads(p.read_text())["items"]]
n=lambda x:[(f,i) for f,i in talks if (i["noise"] is not None)==x]
for r in T._figures("quiet",[t for t in n(False)]): print(r.name,r.value,r.n,r.beside)
for r in T._figures("noisy",n(True)): print(r.name,r.value,r.n)
for r in T._in_noise(n(True)): print(r.name,r.value,r.n)
