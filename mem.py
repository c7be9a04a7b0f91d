import sys, psutil, os, importlib, time
p=psutil.Process()
last=p.memory_info().rss
def step(name, f):
    global last
    t=time.process_time()
    f()
    r=p.memory_info().rss
    print(f"{name:40} +{(r-last)/2**20:6.1f} = {r/2**20:6.1f} MiB  {time.process_time()-t:.2f}s  mods {len(sys.modules)}")
    last=r
print(last/2**20)
for m in sys.argv[1:]:
    step(m, lambda: importlib.import_module(m))
