using System.Globalization;
using System.Text;
using MSOnlineBackup.Vaults.Compliance;

namespace MSOnlineBackup.Agent.VaultReports;

/// <summary>
/// A report as one page of HTML that is XML, too: no script, nothing from elsewhere. All that comes from the vault goes through <see cref="ReportText.Html"/>.
/// </summary>
internal static class ReportPage
{
    /// <summary>The text.</summary>
    public static string Write(VaultReport report)
    {
        string name = ReportText.Html(report.Name ?? report.Location);
        var page = new StringBuilder();
        page.Append(
            CultureInfo.InvariantCulture,
            $"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8" />
            <meta name="viewport" content="width=device-width, initial-scale=1" />
            <meta name="referrer" content="no-referrer" />
            <title>Backups in {name}</title>
            <style>
            {ReportStyle.Text}</style>
            </head>
            <body>
            <main>
            <h1>Backups in <bdi>{name}</bdi></h1>
            <p class="soft"><bdi>{ReportText.Html(report.Location)}</bdi></p>
            <p class="soft">As of {Time(report.At)}. Vault {ReportText.Html(report.VaultId)}, created {Time(report.Created)}.</p>

            """);
        Tiles(page, report);
        Troubles(page, report);
        Machines(page, report);
        Growth(page, report);
        Protection(page, report);
        Notes(page, report);
        return page.Append("</main>\n</body>\n</html>\n").ToString();
    }

    private static void Tiles(StringBuilder page, VaultReport report)
    {
        int amiss = report.Machines.Count - report.Sound;
        page.Append("<ul class=\"tiles\">\n");
        Tile(amiss > 0, $"{ReportText.Count(report.Sound)} of {ReportText.Count(report.Machines.Count)}", "backed up as expected");
        Tile(report.Alarms.Count > 0, ReportText.Count(report.Alarms.Count), report.Alarms.Count == 1 ? "alarm of the vault" : "alarms of the vault");
        Tile(false, ReportText.Count(report.Points), report.Points == 1 ? "recovery point" : "recovery points");
        Tile(false, ReportText.Size(report.StoredBytes), "stored");
        if (report.Cost is { } cost)
        {
            Tile(false, $"{cost.Total.ToString("N2", CultureInfo.InvariantCulture)} {ReportText.Html(cost.Currency)}".TrimEnd(), "a month for what is stored");
        }

        page.Append("</ul>\n");

        void Tile(bool isBad, string value, string label) => page.Append(CultureInfo.InvariantCulture, $"<li{(isBad ? " class=\"bad\"" : "")}><strong>{value}</strong> <span>{label}</span></li>\n");
    }

    private static void Troubles(StringBuilder page, VaultReport report)
    {
        List<ReportedMachine> amiss = [.. report.Machines.Where(machine => machine.ErrorId is not null)];
        page.Append("<section class=\"long\" aria-labelledby=\"see-to\">\n<h2 id=\"see-to\">To be seen to</h2>\n");
        if (amiss.Count + report.Alarms.Count == 0)
        {
            page.Append("<p>Nothing: all backups come as expected, and there is no alarm.</p>\n");
        }
        else
        {
            page.Append("<ul class=\"list\">\n");
            foreach (ReportedMachine machine in amiss)
            {
                Item(machine.State, machine.Message, machine.RecommendedAction, SilenceOf(machine));
            }

            foreach (ReportedAlarm alarm in report.Alarms)
            {
                Item(alarm.Id, $"Since {ReportText.Minute(alarm.Since)} UTC: {alarm.Message}", alarm.RecommendedAction);
            }

            page.Append("</ul>\n");
        }

        page.Append("</section>\n");

        void Item(string badge, string message, string action, string silence = "") => page.Append(
            CultureInfo.InvariantCulture,
            $"<li><span class=\"badge\">{ReportText.Html(badge)}</span> {silence}<bdi>{ReportText.Html(message)}</bdi> <span class=\"soft\">{ReportText.Html(action)}</span></li>\n");
    }

    // The last backup of one that shrinks may be of just now.
    private static string SilenceOf(ReportedMachine machine) => machine.HoursSinceSuccess is { } hours && machine.State != nameof(ComplianceState.Shrinking)
        ? $"<strong>No backup for {ReportText.Span(hours)}.</strong> "
        : "";

    private static void Machines(StringBuilder page, VaultReport report)
    {
        string objective = report.ObjectiveHours.ToString("0.##", CultureInfo.InvariantCulture);
        page.Append(
            CultureInfo.InvariantCulture,
            $"""
            <section class="long" aria-labelledby="machines">
            <h2 id="machines">Machines</h2>
            <p class="soft">Objective met: how much of the last {report.Days} days the newest recovery point was no older than {objective} hours, and how many times it became older. Times are in UTC.</p>
            <table class="cards">
            <thead><tr><th scope="col">Machine</th><th scope="col">Policy</th><th scope="col">State</th><th scope="col">Last success</th><th scope="col">Last run</th><th scope="col">Next by</th><th scope="col" class="number">Objective met</th><th scope="col" class="number">Points</th><th scope="col" class="number">Protected</th></tr></thead>
            <tbody>

            """);
        foreach (ReportedMachine machine in report.Machines)
        {
            page.Append(CultureInfo.InvariantCulture, $"<tr><th scope=\"row\"><bdi>{ReportText.Html(machine.Machine)}</bdi></th>");
            Cell("Policy", "policy", ReportText.Html(machine.Policy ?? "-"));
            Cell("State", "", $"<span class=\"badge{(machine.ErrorId is null ? " ok" : "")}\">{ReportText.Html(machine.State)}</span>");
            Cell("Last success", "time", machine.LastSuccess is { } success ? $"{Time(success, "")}{(machine.HoursSinceSuccess is { } hours ? $"<br /><span class=\"soft\">{ReportText.Span(hours)} ago</span>" : "")}" : "never");
            Cell("Last run", "time", machine.LastRun is { } run ? $"{Time(run, "")}{(machine.Outcome is { } outcome ? $"<br />{ReportText.Html(ReportText.Words(outcome))}" : "")}" : "never");
            Cell("Next by", "time", machine.NextBy is { } next ? Time(next, "") : "-");
            Cell("Objective met", "number", machine.Objective is { } met ? $"{ReportText.Percent(met.MetShare)}{(met.Missed > 0 ? $"<br />missed {ReportText.Count(met.Missed)} ×" : "")}" : "-");
            Cell("Points", "number", machine.Points is { } points ? ReportText.Count(points) : "-");
            Cell("Protected", "number", machine.ProtectedBytes is { } bytes ? ReportText.Size(bytes) : "-");
            page.Append("</tr>\n");
        }

        page.Append("</tbody>\n</table>\n</section>\n");

        void Cell(string label, string style, string html) => page.Append(
            CultureInfo.InvariantCulture, $"<td data-label=\"{label}\"{(style.Length > 0 ? $" class=\"{style}\"" : "")}><span>{html}</span></td>");
    }

    private static void Growth(StringBuilder page, VaultReport report) => page.Append(
        CultureInfo.InvariantCulture,
        $"""
        <section aria-labelledby="growth">
        <h2 id="growth">Growth</h2>
        <p class="soft">What the recovery points that are still there have added, in the last {report.Days} days. Days are those of UTC.</p>
        <div class="charts">
        {ReportCharts.Added(report.Growth)}{ReportCharts.Total(report.Growth)}</div>
        </section>

        """);

    private static void Protection(StringBuilder page, VaultReport report)
    {
        page.Append("<section aria-labelledby=\"protection\">\n<h2 id=\"protection\">Protection</h2>\n<table>\n<thead><tr><th scope=\"col\">What</th><th scope=\"col\">State</th><th scope=\"col\">How</th></tr></thead>\n<tbody>\n");
        foreach (ReportedProtection each in report.Protection)
        {
            page.Append(
                CultureInfo.InvariantCulture,
                $"<tr><th scope=\"row\">{ReportText.Html(each.What)}</th><td><span class=\"badge {(each.IsOn ? "ok" : "off")}\">{(each.IsOn ? "On" : "Off")}</span></td><td>{ReportText.Html(each.Detail)}</td></tr>\n");
        }

        page.Append("</tbody>\n</table>\n</section>\n");
    }

    private static void Notes(StringBuilder page, VaultReport report)
    {
        page.Append("<footer>\n");
        foreach (string warning in report.Warnings)
        {
            page.Append(CultureInfo.InvariantCulture, $"<p><bdi>{ReportText.Html(warning)}</bdi></p>\n");
        }

        if (report.Cost is { } cost)
        {
            page.Append(
                CultureInfo.InvariantCulture,
                $"<p>The cost is by the price that was given, {cost.PricePerGib} {ReportText.Html(cost.Currency)} for a GiB and month, without operations and transfer.</p>\n");
        }

        page.Append("<p>Times are those of the vault's store. Machines of a chunk store whose key was not at hand are told of by their statuses alone.</p>\n</footer>\n");
    }

    private static string Time(DateTimeOffset time, string unit = " UTC") => $"<time datetime=\"{ReportText.ExactTime(time)}\">{ReportText.Minute(time)}{unit}</time>";
}
