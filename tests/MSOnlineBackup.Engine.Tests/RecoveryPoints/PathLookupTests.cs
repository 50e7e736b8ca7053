using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;
using static MSOnlineBackup.Engine.Tests.RecoveryPoints.Manifests;

namespace MSOnlineBackup.Engine.Tests.RecoveryPoints;

/// <summary>What a path that somebody types finds in a recovery point.</summary>
public sealed class PathLookupTests
{
    private static readonly string[] _tree = ["", "Docs", "Docs/One.txt", "Docs/one.txt", "docs", "docs/Only Here.txt", "\u00c4rger", "\u00c4rger/x"];

    [Theory]
    [InlineData(@"C:\T\src\Docs\One.txt", "Docs/One.txt")]
    [InlineData("c:/t/SRC/Docs/one.txt", "Docs/one.txt")]
    [InlineData(@"c:\t\src\docs\ONLY here.TXT", "docs/Only Here.txt")]
    [InlineData(@"c:\t\src\Docs\only here.txt", "docs/Only Here.txt")]
    [InlineData(@"C:\T\src\DOCS\ONE.TXT", "Docs/One.txt")]
    [InlineData(@"C:\T\src\ärger\X", "\u00c4rger/x")]
    [InlineData(@"C:\T\src\", "")]
    [InlineData(@"\\?\C:\t\src\docs", "docs")]
    [InlineData(@"C:\\T\\src/Docs/One.txt", "Docs/One.txt")]
    public async Task In_a_point_of_Windows_neither_case_nor_separators_count(string typed, string expected)
    {
        (MemoryChunks chunks, RecoveryPoint point) = await MakeAsync(@"C:\\T\\src", PathForm.Windows);

        Assert.Equal(expected, Assert.Single(await new PathLookup(chunks, point).FindAsync(typed, withSourcesBelow: false, Cancel)).Path.ToString());
    }

    [Theory]
    [InlineData(@"C:\T\src\nothing")]
    [InlineData(@"C:\T")]
    [InlineData(@"D:\T\src")]
    [InlineData(@"C:\T\srcs")]
    [InlineData("")]
    public async Task What_is_not_there_is_not_found(string typed)
    {
        (MemoryChunks chunks, RecoveryPoint point) = await MakeAsync(@"C:\\T\\src", PathForm.Windows);

        Assert.Empty(await new PathLookup(chunks, point).FindAsync(typed, withSourcesBelow: false, Cancel));
    }

    [Fact]
    public async Task An_item_that_is_written_just_so_wins()
    {
        (MemoryChunks chunks, RecoveryPoint point) = await MakeAsync(@"C:\\T\\src", PathForm.Windows);

        Assert.Equal("docs", Assert.Single(await new PathLookup(chunks, point).FindAsync(@"c:\t\src\docs", withSourcesBelow: false, Cancel)).Path.ToString());
        Assert.Equal("Docs", Assert.Single(await new PathLookup(chunks, point).FindAsync(@"c:\t\src\Docs", withSourcesBelow: false, Cancel)).Path.ToString());
    }

    [Theory]
    [InlineData("/t/src/Docs/One.txt", true)]
    [InlineData("/t/src/docs/One.txt", false)]
    [InlineData("/T/src", false)]
    [InlineData(@"\t\src", false)]
    public async Task In_a_point_of_POSIX_both_count(string typed, bool found)
    {
        (MemoryChunks chunks, RecoveryPoint point) = await MakeAsync("/t/src", PathForm.Posix);

        Assert.Equal(found ? 1 : 0, (await new PathLookup(chunks, point).FindAsync(typed, withSourcesBelow: false, Cancel)).Count);
    }

    [Theory]
    [InlineData(@"c:\")]
    [InlineData("C:")]
    [InlineData(@"c:\t")]
    [InlineData("/")]
    public async Task A_folder_above_a_source_stands_for_the_source(string typed)
    {
        (MemoryChunks chunks, RecoveryPoint point) = await MakeAsync(@"C:\\T\\src", PathForm.Windows);

        Assert.True(Assert.Single(await new PathLookup(chunks, point).FindAsync(typed, withSourcesBelow: true, Cancel)).Path.IsRoot);
    }

    [Fact]
    public async Task Every_source_that_has_the_path_is_found_but_one_of_another_case_only_where_none_is_written_so()
    {
        (MemoryChunks chunks, RecoveryPoint point) = await MakeAsync(@"C:\\T\\src", PathForm.Windows);
        point = point with { Sources = [point.Sources[0], point.Sources[0] with { Path = @"c:\\t\\SRC" }, point.Sources[0] with { Path = @"c:\\t\\SRC" }] };

        Assert.Equal(2, (await new PathLookup(chunks, point).FindAsync(@"c:\t\SRC\Docs", withSourcesBelow: false, Cancel)).Count);
        Assert.Single(await new PathLookup(chunks, point).FindAsync(@"C:\T\src\Docs", withSourcesBelow: false, Cancel));
        Assert.Equal(3, (await new PathLookup(chunks, point).FindAsync(@"C:\t\Src\Docs", withSourcesBelow: false, Cancel)).Count);
        Assert.Equal(3, (await new PathLookup(chunks, point).FindAsync(@"c:\t", withSourcesBelow: true, Cancel)).Count);
    }

    [Fact]
    public async Task Listings_show_the_form_of_the_point_whatever_this_machine_is()
    {
        (MemoryChunks chunks, RecoveryPoint windows) = await MakeAsync(@"C:\\T\\src", PathForm.Windows);
        (MemoryChunks others, RecoveryPoint posix) = await MakeAsync("/t/src", PathForm.Posix);

        Assert.Equal(
            [@"C:\T\src\Docs\One.txt", @"C:\T\src\Docs\one.txt"],
            await new RecoveryPointBrowser(chunks, windows).ListAsync("c:/t/src/Docs", recursive: false, Cancel).Select(item => item.FullPath).ToListAsync(
                Cancel));
        Assert.Equal(
            ["/t/src/docs/Only Here.txt"],
            await new RecoveryPointBrowser(others, posix).ListAsync("/t/src/docs", recursive: false, Cancel).Select(item => item.FullPath).ToListAsync(Cancel));
        Assert.Equal("Only Here.txt", (await new RecoveryPointBrowser(chunks, windows).ListAsync(@"C:\T\src\docs", recursive: false, Cancel).SingleAsync(Cancel)).Name);
    }

    [Theory]
    [InlineData(@"c:\t\**\*.TXT", 3)]
    [InlineData("C:/T/src/docs/*", 3)]
    [InlineData("ONE.*", 2)]
    [InlineData(@"docs\one.txt", 0)]
    [InlineData(@"**\docs\one.txt", 2)]
    public async Task A_search_in_a_point_of_Windows_takes_both_separators_and_any_case(string pattern, int count)
    {
        (MemoryChunks chunks, RecoveryPoint point) = await MakeAsync(@"C:\\T\\src", PathForm.Windows);

        Assert.Equal(count, await new ItemSearch(chunks, pattern, ignoreCase: false).FindAsync(point, damaged: null, Cancel).CountAsync(Cancel));
    }

    private static async Task<(MemoryChunks Chunks, RecoveryPoint Point)> MakeAsync(string source, PathForm form)
    {
        var chunks = new MemoryChunks();
        ManifestRoot root =
            await WriteAsync(chunks, _tree.Select(path => path.Contains('.', StringComparison.Ordinal) || path.EndsWith('x') ? File(path) : Folder(path)));
        return (chunks, new RecoveryPoint
        {
            SessionId = SessionId.Parse(new string('a', 32)),
            MachineId = MachineId.Parse(new string('b', 32)),
            MachineName = "m",
            OperatingSystem = "o",
            AgentVersion = "0",
            Started = default,
            Ended = default,
            Status = RecoveryPointStatus.Completed,
            Sources = [new RecoveryPointSource { Path = source, Form = form, Manifest = root }],
        });
    }
}
