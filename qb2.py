import json
from pathlib import Path
from fractions import Fraction
from bench import tighten as T
p=Path("/work/recipes/av-talks/talks/truth.json"); it=json.loads(p.read_text())["items"]
for r in T._figures("quiet",[(p.parent,i) for i in it if i["noise"] is None]): print(r.name,r.value,r.n,r.beside,flush=True)
h=[(p.parent,i) for i in it if i["noise"] is None and Fraction(i["duration"])<600]
heard=[T._Talk(path=f/i["file"],item=i,talk=T._hear(f/i["file"])) for f,i in h]
for r in T._retakes(heard): print(r.name,r.value,r.n,r.note,flush=True)
for r in T._heard_back(heard): print(r.name,r.value,r.n,r.beside,r.note,flush=True)
