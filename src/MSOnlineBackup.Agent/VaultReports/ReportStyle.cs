namespace MSOnlineBackup.Agent.VaultReports;

/// <summary>How a report's page looks: light and dark, wide, narrow and printed. It loads nothing.</summary>
internal static class ReportStyle
{
    /// <summary>The style sheet.</summary>
    public const string Text = """
        :root { color-scheme: light dark; --page: #f5f6f8; --card: #ffffff; --text: #1b1f24; --soft: #57606a; --edge: #d5dae1; --ok: #17693a; --ok-soft: #dcf3e3; --bad: #a3161f; --bad-soft: #fde4e4; --mark: #2563a8; --mark-soft: #cfe0f3; }
        @media screen and (prefers-color-scheme: dark) { :root { --page: #14171b; --card: #1d2127; --text: #e7eaee; --soft: #a4adb8; --edge: #363d46; --ok: #7ddb9d; --ok-soft: #173a25; --bad: #ff9d9d; --bad-soft: #4a1e20; --mark: #7db4f0; --mark-soft: #243b55; } }
        * { box-sizing: border-box; }
        body { margin: 0; background: var(--page); color: var(--text); font: 15px/1.5 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
        main { max-width: 1320px; margin: 0 auto; padding: 28px 20px 48px; }
        h1 { margin: 0; font-size: 1.7rem; line-height: 1.25; overflow-wrap: anywhere; }
        h2 { margin: 0 0 12px; font-size: 1.15rem; }
        p { margin: 4px 0; }
        .soft { color: var(--soft); overflow-wrap: anywhere; }
        .tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin: 20px 0; padding: 0; list-style: none; }
        .tiles li, section { background: var(--card); border: 1px solid var(--edge); border-radius: 10px; padding: 14px 16px; }
        .tiles strong { display: block; font-size: 1.45rem; line-height: 1.3; }
        .tiles span { color: var(--soft); }
        .tiles .bad strong { color: var(--bad); }
        section { margin: 16px 0; padding: 18px; }
        table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
        th, td { padding: 8px 10px; text-align: left; vertical-align: top; border-bottom: 1px solid var(--edge); overflow-wrap: anywhere; }
        thead th { color: var(--soft); font-size: .85rem; font-weight: 600; white-space: nowrap; overflow-wrap: normal; }
        tr > :first-child { padding-left: 0; }
        tr > :last-child { padding-right: 0; }
        tbody tr:last-child > * { border-bottom: 0; }
        tbody th { font-weight: 600; min-width: 11rem; }
        .number { text-align: right; white-space: nowrap; }
        .time { min-width: 6.8rem; overflow-wrap: normal; }
        .time .soft { white-space: nowrap; }
        .policy { white-space: nowrap; }
        .badge { display: inline-block; padding: 1px 9px; border-radius: 99px; font-size: .85rem; font-weight: 600; white-space: nowrap; background: var(--bad-soft); color: var(--bad); }
        .badge.ok { background: var(--ok-soft); color: var(--ok); }
        .badge.off { background: var(--edge); color: var(--text); }
        .list { margin: 0; padding: 0; list-style: none; }
        .list li { padding: 10px 0; border-bottom: 1px solid var(--edge); overflow-wrap: anywhere; }
        .list li:last-child { border-bottom: 0; padding-bottom: 0; }
        .list li:first-child { padding-top: 0; }
        .charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(300px, 1fr)); gap: 20px; }
        figure { margin: 0; }
        figcaption { font-weight: 600; font-size: .9rem; }
        svg { display: block; width: 100%; height: auto; }
        svg text { font-size: 13px; fill: var(--soft); }
        .bar { fill: var(--mark); }
        .area { fill: var(--mark-soft); }
        .line { fill: none; stroke: var(--mark); stroke-width: 2; }
        .axis { stroke: var(--soft); }
        .grid { stroke: var(--edge); stroke-dasharray: 3 4; }
        footer { color: var(--soft); font-size: .85rem; }
        @media screen and (min-width: 1240px) { .time { min-width: 10rem; } }
        @media screen and (max-width: 1140px) {
          main { padding: 18px 12px 32px; }
          h1 { font-size: 1.35rem; }
          .tiles { grid-template-columns: repeat(2, 1fr); gap: 8px; }
          .tiles li:last-child:nth-child(odd) { grid-column: span 2; }
          .tiles strong { font-size: 1.2rem; }
          section { padding: 14px; }
          .cards, .cards tbody, .cards tr, .cards td, .cards th[scope=row] { display: block; border: 0; }
          .cards thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
          .cards tr { padding: 10px 0; border-bottom: 1px solid var(--edge); }
          .cards tbody tr:last-child { border-bottom: 0; }
          .cards td, .cards th[scope=row] { padding: 2px 0; min-width: 0; }
          .cards td { display: flex; justify-content: space-between; gap: 12px; text-align: right; }
          .cards td::before { content: attr(data-label); color: var(--soft); text-align: left; white-space: nowrap; }
        }
        @media screen and (min-width: 640px) and (max-width: 1140px) {
          .tiles { grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); }
          .tiles li:last-child:nth-child(odd) { grid-column: auto; }
          .cards tr { display: grid; grid-template-columns: 1fr 1fr; column-gap: 40px; }
          .cards th[scope=row] { grid-column: 1 / -1; }
        }
        @page { margin: 14mm; }
        @media print {
          body { background: #ffffff; font-size: 9pt; }
          main { max-width: none; padding: 0 1px; }
          section, .tiles li { break-inside: avoid; border-color: #b5bcc6; }
          section.long { break-inside: auto; }
          section { padding: 10px; margin: 10px 0; }
          .tiles { grid-template-columns: repeat(auto-fit, minmax(125px, 1fr)); gap: 8px; margin: 12px 0; }
          .tiles strong { font-size: 1rem; }
          tr, .list li { break-inside: avoid; }
          th, td { padding: 4px 5px; font-size: 8pt; min-width: 0; }
          thead th { font-size: 7.5pt; white-space: normal; }
          tbody th { min-width: 6rem; }
          .time { min-width: 4.6rem; }
          td .badge { padding: 0 6px; font-size: 7.5pt; }
          .bar, .area, .badge { print-color-adjust: exact; }
        }

        """;
}
