using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml;
using System.Xml.Linq;
using MSOnlineBackup.Agent.VaultReports;
using MSOnlineBackup.Testing;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.VaultReports;

/// <summary>What a report looks like to a parser. OB_RECORD_REPORT=1 records the page anew, to be looked at.</summary>
public sealed class ReportPageTests
{
    private static readonly string _page = ReportPage.Write(SampleReport.Of());

    [Fact]
    public void The_page_is_as_it_was_looked_at()
    {
        string golden = Path.Combine(Repository.Root, "tests", "fixtures", "report", "report.html");
        if (Environment.GetEnvironmentVariable("OB_RECORD_REPORT") == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(golden)!);
            File.WriteAllText(golden, _page);
        }

        Assert.Equal(File.ReadAllText(golden), _page);
    }

    [Fact]
    public void The_page_is_XML_in_a_language_with_headings_and_tables_that_say_what_they_have()
    {
        XElement html = Parse(_page);

        Assert.Equal("en", (string?)html.Attribute("lang"));
        Assert.Equal("Backups in Office", html.Descendants("title").First().Value);
        Assert.Equal(["To be seen to", "Machines", "Growth", "Protection"], html.Descendants("h2").Select(heading => heading.Value));
        Assert.All(html.Descendants("thead").SelectMany(head => head.Descendants("th")), head => Assert.Equal("col", (string?)head.Attribute("scope")));
        Assert.All(html.Descendants("tbody").SelectMany(body => body.Elements("tr")), row => Assert.Equal("row", (string?)row.Element("th")!.Attribute("scope")));
        Assert.Equal(5, html.Descendants("table").First().Element("tbody")!.Elements("tr").Count());
        Assert.Equal(2, html.Descendants("svg").Count());
        Assert.All(html.Descendants("svg"), chart => Assert.Equal(
            [(string?)chart.Element("title")!.Attribute("id"), (string?)chart.Element("desc")!.Attribute("id")], ((string?)chart.Attribute("aria-labelledby"))!.Split(' ')));
        string[] ids = [.. html.Descendants().Attributes("id").Select(id => id.Value)];
        Assert.Equal(ids.Distinct(), ids);
    }

    [Fact]
    public void Nothing_in_it_is_from_elsewhere_and_nothing_runs()
    {
        XElement html = Parse(_page);

        string[] forbidden = ["script", "link", "img", "iframe", "object", "embed", "base", "form", "a", "use", "image", "audio", "video", "source"];
        Assert.DoesNotContain(html.Descendants(), element => forbidden.Contains(element.Name.LocalName));
        Assert.DoesNotContain(html.Descendants().Attributes(), attribute => attribute.Name.LocalName is "href" or "src" or "style" or "action" || attribute.Name.LocalName.StartsWith("on", StringComparison.Ordinal));
        Assert.DoesNotMatch(new Regex(@"url\(|@import|@font-face|https?:|//", RegexOptions.IgnoreCase), _page);
    }

    [Fact]
    public void A_hostile_name_is_text_and_nothing_in_it_hides()
    {
        string name = Parse(_page).Descendants("th").Select(cell => cell.Value).Single(cell => cell.Contains("alert", StringComparison.Ordinal));

        Assert.Equal("<script>alert(1)</script>\"'&\\u202egnp.\\u0007\\u000a]]>", name);
        Assert.DoesNotContain("<script", _page, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain('\u202e', _page);
    }

    [Fact]
    public void What_is_no_character_stands_as_its_number() =>
        Assert.Equal(@"plain 😀 \ud83d \ufffe\u2066b\u061c", ReportText.Visible("plain 😀 \ud83d \ufffe\u2066b\u061c"));

    [Fact]
    public void A_name_is_told_in_words() => Assert.Equal("Completed with warnings", ReportText.Words("CompletedWithWarnings"));

    [Theory]
    [InlineData(0.01, "a minute")]
    [InlineData(1.99, "119 minutes")]
    [InlineData(47.9, "47 hours")]
    [InlineData(71.9, "2 days")]
    [InlineData(30_000, "1,250 days")]
    public void A_time_is_told_in_whole_units(double hours, string text) => Assert.Equal(text, ReportText.Span(hours));

    [Fact]
    public void Who_has_had_no_backup_for_how_long_stands_beside_what_is_amiss()
    {
        string[] items = [.. Parse(_page).Descendants("ul").Single(list => (string?)list.Attribute("class") == "list").Elements("li").Select(item => item.Value)];

        Assert.StartsWith("Late No backup for 3 days. 'BRAVO'", items[0], StringComparison.Ordinal);
        Assert.StartsWith("Never '<script>", items[1], StringComparison.Ordinal);
        Assert.StartsWith("Stopped No backup for 24 hours. 'DELTA'", items[2], StringComparison.Ordinal);
        Assert.StartsWith("BackupUnusual Since", items[3], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1.0, "100 %")]
    [InlineData(0.99999, "99.9 %")]
    [InlineData(0.5, "50 %")]
    [InlineData(0.0, "0 %")]
    public void What_is_not_whole_is_never_a_hundred_percent(double share, string text) => Assert.Equal(text, ReportText.Percent(share));

    [Fact]
    public void An_empty_vault_has_a_page_too()
    {
        VaultReport empty = SampleReport.Of(0) with { Name = null, Alarms = [], Cost = null, Warnings = [], Growth = [new ReportedDay(new DateOnly(2024, 2, 29), 0, 0, 0)], Points = 0, StoredBytes = 0 };

        Assert.Contains("Nothing: all backups come as expected", Parse(ReportPage.Write(empty)).Value, StringComparison.Ordinal);
    }

    [Fact]
    public void CSV_has_a_row_for_each_machine_and_no_formula()
    {
        string[] rows = ReportCsv.Write(SampleReport.Of()).Split("\r\n");

        Assert.Equal(7, rows.Length);
        Assert.Equal("", rows[6]);
        Assert.StartsWith("Machine,Policy,State,", rows[0], StringComparison.Ordinal);
        Assert.StartsWith("ALPHA0,files,Ok,,Completed,2024-02-29T18:00:00Z,2024-02-29T18:00:00Z,2024-03-01T20:00:00Z,3,24,1,0,24,987654321098,365,", rows[4], StringComparison.Ordinal);
        Assert.StartsWith("\"<script>alert(1)</script>\"\"'&\\u202egnp.\\u0007\\u000a]]>\",,Never,BackupNeverMade,,,,", rows[2], StringComparison.Ordinal);
        Assert.EndsWith(",\"'+evil\",\"'@x\",\"'<script>alert(1)</script>\"\"'&\\u202egnp.\\u0007\\u000a]]>' was never backed up.\",\"'=HYPERLINK(1)\"", rows[2], StringComparison.Ordinal);
        Assert.All(["=1", "+1", "-1", "@a"], formula => Assert.Equal($"\"'{formula}\"", ReportText.Csv(formula)));
    }

    [Fact]
    public void JSON_has_all_of_it()
    {
        using JsonDocument report = JsonDocument.Parse(ReportJson.Write(SampleReport.Of()));

        Assert.Equal("Office", report.RootElement.GetProperty("name").GetString());
        Assert.Equal(SampleReport.HostileName, report.RootElement.GetProperty("machines")[1].GetProperty("machine").GetString());
        Assert.Equal(0.8666, report.RootElement.GetProperty("machines")[0].GetProperty("objective").GetProperty("metShare").GetDouble());
        Assert.Equal("2024-01-31", report.RootElement.GetProperty("growth")[0].GetProperty("day").GetString());
        Assert.Equal(20.7m, report.RootElement.GetProperty("cost").GetProperty("total").GetDecimal());
    }

    [Fact]
    public void A_file_is_replaced_only_where_that_is_meant()
    {
        using var folder = new TempFolder();
        string file = folder["r.html"];
        File.WriteAllText(file, "mine");

        Assert.Contains("exists", Refused(() => VaultReportFile.Write(SampleReport.Of(), file, ReportFormat.Html, replace: false)), StringComparison.Ordinal);
        Assert.Equal("mine", File.ReadAllText(file));
        VaultReportFile.Write(SampleReport.Of(), file, ReportFormat.Html, replace: true);
        Assert.Equal(_page, File.ReadAllText(file, Encoding.UTF8));
        Assert.Equal([file], Directory.GetFileSystemEntries(Path.GetDirectoryName(file)!));
        Assert.Contains("is a folder", Refused(() => VaultReportFile.Check(Path.GetDirectoryName(file)!, replace: true)), StringComparison.Ordinal);
        Assert.Contains("does not exist", Refused(() => VaultReportFile.Check(folder["no/r.html"], replace: true)), StringComparison.Ordinal);
        Assert.Contains("does not say", Refused(() => VaultReportFile.FormatOf("report.pdf")), StringComparison.Ordinal);
        Assert.Equal((ReportFormat.Html, ReportFormat.Csv, ReportFormat.Json), (VaultReportFile.FormatOf("a.HTM"), VaultReportFile.FormatOf("a.csv"), VaultReportFile.FormatOf("a.json")));
    }

    private static string Refused(Action action) => Assert.Throws<MSOnlineBackup.Vaults.Errors.BackupException>(action).Message;

    private static XElement Parse(string page)
    {
        using var reader = XmlReader.Create(new StringReader(page), new XmlReaderSettings { DtdProcessing = DtdProcessing.Ignore });
        return XElement.Load(reader);
    }
}
