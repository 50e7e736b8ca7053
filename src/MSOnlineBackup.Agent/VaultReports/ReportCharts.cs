using System.Globalization;
using System.Text;

namespace MSOnlineBackup.Agent.VaultReports;

/// <summary>Charts as SVG that stands in a page: with a title and a description for who cannot see them, and colours of the page.</summary>
internal static class ReportCharts
{
    private const int Width = 480;
    private const int Top = 26;
    private const int Bottom = 150;
    private const int Height = 176;

    /// <summary>What each day added, as bars.</summary>
    public static string Added(IReadOnlyList<ReportedDay> growth)
    {
        long most = Math.Max(1, growth.Max(day => day.AddedBytes));
        double step = (double)Width / growth.Count;
        var bars = new StringBuilder();
        for (int each = 0; each < growth.Count; each++)
        {
            double height = (double)growth[each].AddedBytes / most * (Bottom - Top);
            if (height > 0)
            {
                bars.Append(
                    CultureInfo.InvariantCulture,
                    $"<rect class=\"bar\" x=\"{(each * step) + (step * 0.1):0.##}\" y=\"{Bottom - height:0.##}\" width=\"{step * 0.8:0.##}\" height=\"{height:0.##}\" />");
            }
        }

        return Chart(
            "added", "Added each day", growth, $"Most on one day: {ReportText.Size(growth.Max(day => day.AddedBytes))}. In all: {ReportText.Size(growth.Sum(day => day.AddedBytes))}.", ReportText.Size(most), bars.ToString());
    }

    /// <summary>What all recovery points that are there had added by each day, as an area.</summary>
    public static string Total(IReadOnlyList<ReportedDay> growth)
    {
        long most = Math.Max(1, growth.Max(day => day.TotalBytes));
        double step = growth.Count > 1 ? (double)Width / (growth.Count - 1) : Width;
        var line = new StringBuilder();
        for (int each = 0; each < growth.Count; each++)
        {
            line.Append(CultureInfo.InvariantCulture, $"{each * step:0.##},{Bottom - ((double)growth[each].TotalBytes / most * (Bottom - Top)):0.##} ");
        }

        if (growth.Count == 1)
        {
            line.Append(CultureInfo.InvariantCulture, $"{Width},{Bottom - ((double)growth[0].TotalBytes / most * (Bottom - Top)):0.##} ");
        }

        string points = line.ToString().TrimEnd();
        return Chart(
            "total",
            "Added in all",
            growth,
            $"From {ReportText.Size(growth[0].TotalBytes)} to {ReportText.Size(growth[^1].TotalBytes)}.",
            ReportText.Size(most),
            string.Create(CultureInfo.InvariantCulture, $"<polygon class=\"area\" points=\"0,{Bottom} {points} {Width},{Bottom}\" /><polyline class=\"line\" points=\"{points}\" />"));
    }

    private static string Chart(string id, string title, IReadOnlyList<ReportedDay> growth, string description, string top, string content) => string.Create(
        CultureInfo.InvariantCulture,
        $"""
        <figure>
        <figcaption>{title}</figcaption>
        <svg viewBox="0 0 {Width} {Height}" role="img" aria-labelledby="{id}-title {id}-desc">
        <title id="{id}-title">{title}, {growth[0].Day:yyyy-MM-dd} to {growth[^1].Day:yyyy-MM-dd}</title>
        <desc id="{id}-desc">{description}</desc>
        <line class="grid" x1="0" y1="{Top}" x2="{Width}" y2="{Top}" />
        {content}
        <line class="axis" x1="0" y1="{Bottom}" x2="{Width}" y2="{Bottom}" />
        <text x="0" y="{Top - 8}">{top}</text>
        <text x="0" y="{Height - 8}">{growth[0].Day:yyyy-MM-dd}</text>
        <text x="{Width}" y="{Height - 8}" text-anchor="end">{growth[^1].Day:yyyy-MM-dd}</text>
        </svg>
        </figure>

        """);
}
