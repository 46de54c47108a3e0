// How the engine view looks: Gradio's colours, one column on a phone, a list and its details beside each other elsewhere.
export const sheet = new CSSStyleSheet();
sheet.replaceSync(`
:host { display: block; color: var(--body-text-color); font: 14px/1.5 var(--font); --ok: color-mix(in srgb, var(--body-text-color) 45%, #0d9488); --bad: color-mix(in srgb, var(--body-text-color) 35%, #dc2626); --warn: color-mix(in srgb, var(--body-text-color) 45%, #d97706); }
* { box-sizing: border-box; }
.columns { display: grid; grid-template-columns: minmax(280px, 350px) minmax(0, 1fr); gap: 16px; align-items: start; }
.side, .main { display: grid; gap: 16px; min-width: 0; } .main { gap: 8px; }
.panel { background: var(--block-background-fill); border: 1px solid var(--border-color-primary); border-radius: 10px; padding: 16px; min-width: 0; overflow-wrap: anywhere; }
h3 { font-size: 16px; font-weight: 650; margin: 0 0 4px; } h4 { font-size: 14px; font-weight: 650; margin: 16px 0 6px; }
p { margin: 0 0 8px; } .quiet { color: var(--body-text-color-subdued); font-size: 13px; font-weight: 400; } .block { display: block; margin-top: 2px; }
.head { display: flex; gap: 8px; align-items: baseline; justify-content: space-between; flex-wrap: wrap; }
.badge { font-size: 12px; font-weight: 600; white-space: nowrap; border: 1px solid currentColor; border-radius: 99px; padding: 0 8px; }
.badge.ok, .badge.used { color: var(--ok); } .badge.bad { color: var(--bad); } .badge.missing { color: var(--body-text-color-subdued); }
[hidden] { display: none !important; }
.tabs { display: flex; gap: 4px; flex-wrap: wrap; } .tabs button { background: none; border-color: transparent; color: var(--body-text-color-subdued); } .tabs button[aria-selected="true"] { color: var(--body-text-color); background: var(--block-background-fill); border-color: var(--border-color-primary); } .tabs .busy::after { content: " ●"; color: var(--ok); }
.message { min-height: 0; } .message:not(:empty) { margin-bottom: 12px; padding: 10px 14px; border-radius: 8px; border: 1px solid var(--border-color-primary); background: var(--block-background-fill); border-left: 4px solid var(--ok); }
.fault { color: var(--bad); } .message.fault:not(:empty) { border-left-color: var(--bad); }
.reason { color: var(--warn); font-size: 13px; font-weight: 400; }
button { font: inherit; font-weight: 600; color: var(--button-secondary-text-color); background: var(--button-secondary-background-fill); border: 1px solid var(--border-color-primary); border-radius: 8px; padding: 7px 14px; min-height: 36px; cursor: pointer; }
button:hover:not(:disabled) { border-color: var(--color-accent); } button:disabled { opacity: .55; cursor: not-allowed; }
button.primary { color: var(--button-primary-text-color); background: var(--button-primary-background-fill); border-color: transparent; }
button.primary:hover:not(:disabled) { background: var(--button-primary-background-fill-hover); }
button.small { padding: 1px 10px; min-height: 28px; margin-left: auto; font-size: 13px; }
:is(button, input, summary, pre):focus-visible { outline: 2px solid var(--color-accent); outline-offset: 2px; }
ul { list-style: none; margin: 8px 0; padding: 0; display: grid; gap: 6px; }
.item { display: grid; width: 100%; text-align: left; font-weight: 400; background: none; color: inherit; padding: 8px 12px; }
.item[aria-pressed="true"] { border-color: var(--color-accent); background: color-mix(in srgb, var(--color-accent) 12%, transparent); }
.list > button { width: 100%; margin-bottom: 4px; }
.use > button { width: 100%; } .now { margin-top: 4px; }
fieldset { border: 0; margin: 0 0 10px; padding: 0; min-width: 0; } legend { font-weight: 600; padding: 0; margin-bottom: 4px; }
.choice { display: flex; gap: 8px; padding: 5px 0; cursor: pointer; align-items: flex-start; } .choice input { accent-color: var(--color-accent); margin: 3px 0 0; width: 16px; height: 16px; flex: none; }
.unable .quiet { color: var(--warn); }
.chips { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 6px; } .chips .choice { border: 1px solid var(--border-color-primary); border-radius: 8px; padding: 5px 10px; } .chips .choice:has(:checked) { border-color: var(--color-accent); background: color-mix(in srgb, var(--color-accent) 12%, transparent); }
.chips .quiet { display: block; }
.chip { display: inline-block; border: 1px solid var(--border-color-primary); border-radius: 99px; padding: 0 10px; margin: 0 4px 4px 0; }
.actions { display: flex; gap: 12px; align-items: center; flex-wrap: wrap; margin: 4px 0 10px; }
.limits { border-left: 4px solid var(--warn); padding: 6px 12px; margin: 8px 0; background: color-mix(in srgb, #d97706 9%, transparent); border-radius: 0 8px 8px 0; } .limits p { margin: 0; }
dl { display: grid; grid-template-columns: minmax(110px, max-content) minmax(0, 1fr); gap: 5px 16px; margin: 10px 0; } dt { color: var(--body-text-color-subdued); } dd { margin: 0; }
.code, pre { font-family: var(--font-mono); font-size: 12px; }
pre { max-height: 220px; overflow: auto; white-space: pre-wrap; margin: 6px 0 0; padding: 8px 10px; border-radius: 8px; background: color-mix(in srgb, var(--body-text-color) 6%, transparent); }
summary { cursor: pointer; color: var(--body-text-color-subdued); padding: 4px 0; font-size: 13px; }
.wide { overflow-x: auto; } .wide .engines, .wide .speed { min-width: 620px; } table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; } caption { text-align: left; font-weight: 600; padding: 4px 0; }
th, td { text-align: left; vertical-align: top; padding: 6px 12px 6px 0; border-bottom: 1px solid var(--border-color-primary); font-weight: 400; } th, td { overflow-wrap: normal; } thead th { color: var(--body-text-color-subdued); font-size: 13px; } tbody th { font-weight: 600; }
.matrices { display: grid; grid-template-columns: repeat(auto-fill, minmax(260px, 1fr)); gap: 12px 24px; } .matrix td, .matrix th { padding: 3px 8px; } .matrix td { text-align: right; } .matrix .right { font-weight: 700; }
.job { border: 1px solid var(--border-color-primary); border-radius: 8px; padding: 8px 12px; margin: 8px 0; } .job.failed { border-color: var(--bad); } .job.failed .job-note { color: var(--bad); } .job-line { display: flex; gap: 8px; align-items: center; flex-wrap: wrap; } .job-note { color: var(--body-text-color-subdued); font-size: 13px; }
progress { width: 100%; height: 8px; accent-color: var(--color-accent); }
.bar { position: relative; height: 8px; margin: 5px 0 3px; min-width: 120px; border-radius: 4px; background: color-mix(in srgb, var(--body-text-color) 8%, transparent); } .bar i { position: absolute; inset: 0 auto 0 0; border-radius: 4px; background: var(--color-accent); } .bar .most { opacity: .35; }
.state { border: 1px dashed var(--border-color-primary); border-radius: 8px; padding: 12px; } .none { color: var(--body-text-color-subdued); }
.findings li { border-bottom: 1px solid var(--border-color-primary); padding: 6px 0; } .findings li:last-child { border: 0; }
@media (max-width: 860px) { .columns { grid-template-columns: minmax(0, 1fr); } .panel { padding: 12px; } dl { grid-template-columns: minmax(0, 1fr); gap: 0; } dd { margin-bottom: 8px; } }
`);
