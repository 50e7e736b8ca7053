using System.Text;
using MSOnlineBackup.Engine.Sources.Unix;
using MSOnlineBackup.Testing;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Sources;

public sealed class UnixPathTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public UnixPathTests() => Assert.SkipWhen(OperatingSystem.IsWindows(), "Paths of POSIX systems.");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Two_dots_after_a_link_lead_above_what_the_link_names()
    {
        Directory.CreateDirectory(_folder["real", "d1"]);
        Directory.CreateSymbolicLink(_folder["lnk"], _folder["real", "d1"]);

        Assert.Equal(_folder["real", "d2"], Resolve(_folder.Path + "/lnk/../d2"));
        Assert.Equal(_folder["lnk", "x"], Resolve(_folder.Path + "/lnk//./x/"));
        Assert.Equal(_folder["d2"], Resolve(_folder.Path + "/none/../d2"));
        Assert.Equal("/", Resolve("/../.."));
        Assert.Equal(Path.Combine(Environment.CurrentDirectory, "a"), Resolve("a"));
    }

    [Fact]
    public void Bytes_are_read_as_they_are_shown_unless_something_is_there_by_that_very_name()
    {
        new SourceTreeBuilder(_folder["source"]).File(@"caf\xe9", 1);
        File.WriteAllText(_folder["source", @"a\x41"], "");

        Assert.Equal([.. UnixFile.Raw(_folder["source"]), .. "/caf"u8, 0xe9], UnixPath.Resolve(_folder["source", @"caf\xe9"]));
        Assert.Equal(_folder["source", @"a\x41"], Resolve(_folder["source", @"a\x41"]));
    }

    private static string Resolve(string path) => Encoding.UTF8.GetString(UnixPath.Resolve(path));
}
