# ruff: noqa: E501 (style sheets read best with a rule a line)
"""The look of the HTML report."""

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><style>{style}</style></head><body><main>
{body}
<footer>Rates carry 95 % Wilson intervals, differences Newcombe's for pairs. Judged from the simulator's settled
state, never from the model's belief. The families follow the language tasks of CLIPort, VIMA and Language-Table in
kind, written anew for this table with scripted skills: these figures are not theirs and no leaderboard's.</footer></main></body></html>
"""

STYLE = """
:root { --ink:#14202b; --soft:#5b6b79; --line:#dfe5ea; --paper:#f6f8fa; --card:#ffffff; --accent:#0b6e99;
  --accent-soft:#bfe0ee; --bad:#b3402a; --good:#1d7a4c; color-scheme:light dark }
@media (prefers-color-scheme:dark) { :root { --ink:#e7eef4; --soft:#94a5b3; --line:#2a3641; --paper:#10171d;
  --card:#18222b; --accent:#5cc3ee; --accent-soft:#1f4c60; --bad:#f0836c; --good:#63cf97 } }
* { box-sizing:border-box }
body { margin:0; background:var(--paper); color:var(--ink); font:15px/1.5 system-ui,"Segoe UI",Roboto,sans-serif }
main { max-width:1120px; margin:0 auto; padding:32px 20px 64px }
.brand { font-weight:700; letter-spacing:.02em; margin:0 0 18px } .brand span { color:var(--soft); font-weight:400 }
.headline { display:flex; gap:28px; align-items:center; flex-wrap:wrap }
.headlines { display:grid; grid-template-columns:repeat(auto-fit,minmax(380px,1fr)); gap:18px; margin-bottom:14px }
.headlines h1 { font-size:18px } .note { color:var(--soft); margin:-6px 0 12px; max-width:76ch }
.doubt { color:var(--bad) !important; margin-top:12px !important; font-weight:600 }
.wide td:first-child { min-width:240px } td b { white-space:nowrap } .tight td, .tight th { padding-top:4px; padding-bottom:4px }
.soft { color:var(--soft) } .bad { color:var(--bad) } .good { color:var(--good) }
.grid td { min-width:118px; vertical-align:top } .grid .bar { min-width:100px; margin-top:4px }
code.command { display:block; background:var(--paper); padding:6px 8px; border-radius:6px; user-select:all;
  overflow-wrap:anywhere } video { width:100%; display:block; background:#000 }
.big { font-size:56px; white-space:nowrap; font-weight:700; color:var(--accent); line-height:1; font-variant-numeric:tabular-nums }
h1 { font-size:24px; margin:0 0 4px } h2 { font-size:18px; margin:0 0 12px } h3 { font-size:16px; margin:0 0 6px }
header p { margin:0; color:var(--soft) }
.facts { list-style:none; display:flex; flex-wrap:wrap; gap:10px; padding:0; margin:24px 0 0 }
.facts li { background:var(--card); border:1px solid var(--line); border-radius:10px; padding:8px 14px;
  display:flex; flex-direction:column } .facts span { color:var(--soft); font-size:12px }
section { background:var(--card); border:1px solid var(--line); border-radius:14px; padding:20px 22px;
  margin-top:22px; overflow-x:auto }
table { border-collapse:collapse; width:100%; font-variant-numeric:tabular-nums } table.narrow { max-width:560px }
th { text-align:left; font-weight:600; color:var(--soft); font-size:13px } th,td { padding:7px 10px;
  border-bottom:1px solid var(--line); vertical-align:middle } tr:last-child td { border-bottom:0 }
.n { text-align:right; white-space:nowrap } small { color:var(--soft); white-space:nowrap }
.bar { position:relative; height:10px; min-width:200px; background:var(--paper); border-radius:5px }
.bar i { position:absolute; top:0; height:10px; background:var(--accent-soft); border-radius:5px }
.bar b { position:absolute; top:-2px; width:4px; height:14px; margin-left:-2px; background:var(--accent);
  border-radius:2px }
.meter { height:10px; background:var(--paper); border-radius:5px; min-width:160px }
.meter i { display:block; height:10px; background:var(--bad); border-radius:5px }
.tag { font-style:normal; font-size:12px; border:1px solid var(--line); border-radius:99px; padding:1px 8px;
  margin-right:4px; white-space:nowrap } .tag.bad { color:var(--bad); border-color:var(--bad) }
code { font-size:12px; color:var(--soft) }
.cards { display:grid; grid-template-columns:repeat(auto-fill,minmax(320px,1fr)); gap:16px }
article { border:1px solid var(--line); border-radius:12px; overflow:hidden } article > div { padding:12px 14px }
article img { width:100%; display:block } article p { margin:4px 0 } article ol { margin:6px 0 0; padding-left:20px }
.nopic { background:var(--paper); color:var(--soft); text-align:center; padding:60px 0 !important }
summary { cursor:pointer; font-weight:600 } details table { margin-top:12px; font-size:13px }
tr.fail td:nth-child(3) { color:var(--bad) } tr.pass td:nth-child(3) { color:var(--good) }
footer { color:var(--soft); font-size:13px; margin-top:24px }
"""
