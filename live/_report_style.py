"""What does a report's page look like, by day and by night, on a screen and on paper?"""

CSS = """
:root { --ground:#f4f6f8; --card:#ffffff; --ink:#1a1f26; --dim:#66707d; --line:#e2e6eb; --own:#1f5fa8;
  --under:rgba(31,95,168,.10); --good:#177a53; --bad:#b92d27; --deep:rgba(185,45,39,.14); --warn:#96590a;
  --bad-ground:#fdeeed; --warn-ground:#fdf4e3; --badge:#e6ebf1; color-scheme: light dark; }
@media (prefers-color-scheme: dark) { :root { --ground:#0e1217; --card:#161b22; --ink:#e7ebf0; --dim:#96a1ae;
  --line:#29313b; --own:#6fabf2; --under:rgba(111,171,242,.14); --good:#4cc48d; --bad:#ff857d;
  --deep:rgba(255,133,125,.18); --warn:#e6b053; --bad-ground:#2d1716; --warn-ground:#2b2212; --badge:#232b35; } }
* { box-sizing:border-box; }
body { margin:0; background:var(--ground); color:var(--ink);
  font:15px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue","DejaVu Sans",Arial,sans-serif; }
main { max-width:1120px; margin:0 auto; padding:32px 24px 48px; }
header { margin-bottom:20px; }
.kicker { display:flex; flex-wrap:wrap; gap:8px; align-items:center; color:var(--dim); font-size:13px; }
.badge { padding:2px 9px; border-radius:999px; background:var(--badge); color:var(--ink); font-weight:600;
  font-size:12px; letter-spacing:.03em; }
.badge.live, .badge.HALTED { background:var(--bad); color:var(--card); }
.badge.REDUCING { background:var(--warn); color:var(--card); }
.badge.ACTIVE { color:var(--good); }
h1 { margin:8px 0 2px; font-size:26px; line-height:1.25; letter-spacing:-.01em; }
.headline { margin:0; font-size:17px; color:var(--dim); }
h2 { margin:0 0 10px; font-size:15px; letter-spacing:-.005em; }
.tiles { display:grid; grid-template-columns:repeat(auto-fit,minmax(150px,1fr)); gap:12px; margin:20px 0 12px; }
.tile, section { background:var(--card); border:1px solid var(--line); border-radius:12px; }
.tile { padding:12px 16px; }
.tile .name { color:var(--dim); font-size:12.5px; }
.tile .value { font-size:21px; font-weight:650; letter-spacing:-.01em; font-variant-numeric:tabular-nums;
  white-space:nowrap; }
.tile .more { color:var(--dim); font-size:12.5px; overflow-wrap:anywhere; }
section { padding:18px 20px; margin-top:12px; min-width:0; }
.beside { margin-top:12px; display:grid; grid-template-columns:repeat(auto-fit,minmax(245px,1fr)); gap:12px; }
.beside section { margin-top:0; }
main > section dl { grid-template-columns:max-content 1fr; column-gap:24px; } main > section dd { text-align:left; }
.alert { list-style:none; margin:12px 0 0; padding:0; display:grid; gap:6px; }
.alert li { padding:9px 14px; border-radius:9px; border-left:4px solid var(--warn); background:var(--warn-ground);
  overflow-wrap:anywhere; }
.alert li.bad { border-color:var(--bad); background:var(--bad-ground); }
dl { margin:0; display:grid; grid-template-columns:minmax(min-content,1fr) minmax(0,auto); row-gap:5px;
  column-gap:12px; }
dt { color:var(--dim); overflow-wrap:break-word; }
dd { margin:0; text-align:right; font-variant-numeric:tabular-nums; overflow-wrap:anywhere; }
.why { grid-column:1 / -1; margin:-4px 0 2px; color:var(--dim); font-size:12px; text-align:right; }
.note { margin:10px 0 0; color:var(--dim); font-size:12.5px; overflow-wrap:anywhere; }
.scroll { overflow-x:auto; }
table { width:100%; border-collapse:collapse; font-variant-numeric:tabular-nums; font-size:13.5px; }
th { color:var(--dim); font-weight:500; text-align:left; font-size:12.5px; white-space:nowrap; }
th, td { padding:6px 14px 6px 0; border-bottom:1px solid var(--line); vertical-align:top; }
th:last-child, td:last-child { padding-right:0; }
tr:last-child td { border-bottom:0; }
td { white-space:nowrap; }
td.wide { white-space:normal; overflow-wrap:anywhere; min-width:220px; }
.right { text-align:right; }
.good { color:var(--good); } .bad { color:var(--bad); } .warn { color:var(--warn); } .dim { color:var(--dim); }
.bar { display:inline-flex; align-items:center; gap:10px; min-width:170px; width:100%; }
.bar i { flex:1; height:8px; border-radius:4px; background:var(--badge); overflow:hidden; min-width:90px; }
.bar b { display:block; height:100%; border-radius:4px; background:var(--own); }
.bar.warn b { background:var(--warn); } .bar.bad b { background:var(--bad); }
.bar span { min-width:42px; text-align:right; }
svg { display:block; width:100%; height:auto; font-size:12px; }
svg text { fill:var(--dim); } svg .end { text-anchor:end; } svg .mid { text-anchor:middle; }
svg .name { fill:var(--ink); font-weight:600; } svg .grid { stroke:var(--line); }
svg .own { fill:none; stroke:var(--own); stroke-width:2; stroke-linejoin:round; } svg .own-name { fill:var(--own); }
svg .under { fill:var(--under); } svg .start, svg .zero { stroke:var(--dim); stroke-dasharray:4 4; }
svg .zero { stroke-dasharray:none; }
svg .hold { fill:none; stroke:var(--dim); stroke-width:1.4; stroke-dasharray:5 3; }
svg .hold-name, svg .dim-name { fill:var(--dim); font-weight:400; }
svg .deep { fill:var(--deep); } svg .depth { fill:none; stroke:var(--bad); stroke-width:1.5; }
svg .gain rect { fill:var(--good); opacity:.85; } svg .loss rect { fill:var(--bad); opacity:.85; }
svg .trip line { stroke:var(--bad); stroke-width:1.5; stroke-dasharray:3 3; } svg .trip circle { fill:var(--bad); }
svg .trip-name { fill:var(--bad); font-weight:400; }
svg .flow polygon { fill:var(--warn); } svg .flow-name { fill:var(--warn); font-weight:400; }
footer { margin-top:20px; color:var(--dim); font-size:12.5px; }
@media (max-width:640px) { main { padding:20px 14px 32px; } section { padding:14px; } h1 { font-size:22px; }
  svg { min-width:620px; font-size:15px; } }
@media print { :root { --ground:#fff; } main { max-width:none; padding:0; } section, .tile { break-inside:avoid; } }
"""
