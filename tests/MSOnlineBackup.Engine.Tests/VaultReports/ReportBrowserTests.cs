using System.Diagnostics;
using System.Text.RegularExpressions;
using MSOnlineBackup.Agent.VaultReports;
using MSOnlineBackup.Testing;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.VaultReports;

/// <summary>What a report looks like to a browser: Chromium, without a window and without a network.</summary>
public sealed class ReportBrowserTests
{
    private static readonly string? _browser = Find("chromium");
    private static readonly string? _reader = Find("pdftotext");

    [Fact]
    public async Task A_browser_shows_the_page_and_runs_nothing_of_it()
    {
        using var folder = Open(out string page);

        string dom = await RunAsync(folder, "--dump-dom", page);

        Assert.Equal(SampleReport.Of().Machines.Count, Regex.Count(dom, "<th scope=\"row\"><bdi>"));
        Assert.Contains("&lt;script&gt;alert(1)", dom, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", dom, StringComparison.Ordinal);
        Assert.Equal(2, Regex.Count(dom, "<svg "));
    }

    [Theory]
    [InlineData(1280)]
    [InlineData(390)]
    public async Task A_browser_draws_it_at_any_width(int width)
    {
        using var folder = Open(out string page);

        // An image of one colour would be a few hundred bytes.
        await RunAsync(folder, $"--screenshot={folder["shot.png"]}", $"--window-size={width},1400", "--hide-scrollbars", page);

        Assert.True(new FileInfo(folder["shot.png"]).Length > 20_000);
    }

    [Fact]
    public async Task A_browser_prints_it_and_the_print_can_be_read()
    {
        using var folder = Open(out string page);
        Assert.SkipUnless(_reader is not null, "There is no pdftotext, which reads what was printed.");

        await RunAsync(folder, $"--print-to-pdf={folder["r.pdf"]}", "--no-pdf-header-footer", page);
        string text = await ReadAsync(_reader!, "-layout", folder["r.pdf"], "-");

        foreach (string part in new[] { "Backups in Office", "To be seen to", "ALPHA0", "BRAVO1", "Growth", "Protection", "20.70 EUR", "86.6 %" })
        {
            Assert.Contains(part, text, StringComparison.Ordinal);
        }
    }

    private static TempFolder Open(out string page)
    {
        Assert.SkipUnless(_browser is not null, "There is no chromium, which shows the page.");
        var folder = new TempFolder();
        string file = folder["r.html"];
        VaultReportFile.Write(SampleReport.Of(), file, ReportFormat.Html, replace: false);
        page = new Uri(file).AbsoluteUri;
        return folder;
    }

    // As root, and in containers, its sandbox cannot be had. The page is our own.
    private static Task<string> RunAsync(TempFolder folder, params string[] arguments) => ReadAsync(
        _browser!,
        ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--host-resolver-rules=MAP * ~NOTFOUND", $"--user-data-dir={folder["profile"]}", .. arguments]);

    private static async Task<string> ReadAsync(string program, params string[] arguments)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        stop.CancelAfter(TimeSpan.FromMinutes(2));
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        try
        {
            Task<string> errors = process.StandardError.ReadToEndAsync(stop.Token);
            string output = await process.StandardOutput.ReadToEndAsync(stop.Token);
            await process.WaitForExitAsync(stop.Token);
            Assert.True(process.ExitCode == 0, await errors);
            return output;
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }
    }

    private static string? Find(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);
}
