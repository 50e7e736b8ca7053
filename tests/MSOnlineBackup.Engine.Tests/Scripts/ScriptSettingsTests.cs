using MSOnlineBackup.Engine.Scripts;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Scripts;

/// <summary>The file that names scripts, as it is documented for VMSnapshotScriptPluginConfig.json.</summary>
public sealed class ScriptSettingsTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly ScriptFolder _scripts;

    public ScriptSettingsTests() => _scripts = new ScriptFolder(_folder["scripts"]);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void What_is_left_out_is_as_in_the_originals_template()
    {
        ScriptSettings settings = Read();

        Assert.Equal((_scripts.Pre, _scripts.Post), (settings.Before.Location, settings.After.Location));
        Assert.Equal((ScriptKind.Pre, ScriptKind.Post), (settings.Before.Kind, settings.After.Kind));
        Assert.Empty(settings.Before.Arguments);
        Assert.Equal((0, 0), (settings.Before.Retries, settings.After.Retries));
        Assert.Equal((TimeSpan.FromSeconds(30), true, true), (settings.Timeout, settings.ContinuesOnFailure, settings.FreezesFileSystems));
    }

    [Fact]
    public void Every_documented_member_is_read_and_others_are_passed_over()
    {
        _scripts.SaveText(
            $$"""
            {
                "pluginName" : "ScriptRunner",
                "preScriptLocation" : "{{_scripts.Pre}}",
                "postScriptLocation" : "{{_scripts.Post}}",
                "preScriptParams" : ["a b", ""],
                "postScriptParams" : ["c"],
                "preScriptNoOfRetries" : 2,
                "postScriptNoOfRetries" : 3,
                "timeoutInSeconds" : 1800,
                "continueBackupOnFailure" : false,
                "fsFreezeEnabled" : false,
                "ScriptsExecutionPollTimeSeconds" : 5,
                "somethingElse" : { "x" : [1] }
            }
            """);

        ScriptSettings settings = Read();

        Assert.Equal(["a b", ""], settings.Before.Arguments);
        Assert.Equal(["c"], settings.After.Arguments);
        Assert.Equal((2, 3), (settings.Before.Retries, settings.After.Retries));
        Assert.Equal((TimeSpan.FromMinutes(30), false, false), (settings.Timeout, settings.ContinuesOnFailure, settings.FreezesFileSystems));
    }

    [Fact]
    public void A_byte_order_mark_is_no_part_of_it()
    {
        _scripts.SaveText("\uFEFF" + _scripts.Settings.ToJsonString());

        Assert.Equal(_scripts.Pre, Read().Before.Location);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("""{ "timeoutInSeconds" : 30, }""")]
    [InlineData("""{ "timeoutInSeconds" : "30" }""")]
    [InlineData("""{ "timeoutInSeconds" : 0 }""")]
    [InlineData("""{ "timeoutInSeconds" : 1801 }""")]
    [InlineData("""{ "preScriptNoOfRetries" : -1 }""")]
    [InlineData("""{ "postScriptNoOfRetries" : 1.5 }""")]
    [InlineData("""{ "ScriptsExecutionPollTimeSeconds" : 6 }""")]
    [InlineData("""{ "continueBackupOnFailure" : "yes" }""")]
    [InlineData("""{ "preScriptParams" : "a" }""")]
    [InlineData("""{ "preScriptLocation" : "pre.sh" }""")]
    public void What_is_no_such_file_is_named(string text)
    {
        _scripts.SaveText(text);

        BackupException e = Assert.Throws<BackupException>(Read);

        Assert.Equal((BackupErrorId.ScriptSettingsInvalid, "IncorrectJSONConfigFile", _scripts.File), (e.Id, e.ErrorCode, e.Target));
    }

    [Fact]
    public void A_file_that_is_not_there_is_named()
    {
        File.Delete(_scripts.File);

        Assert.Equal("IncorrectJSONConfigFile", Assert.Throws<BackupException>(Read).ErrorCode);
    }

    [Fact]
    public void A_file_that_others_could_have_written_is_not_believed()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Modes are Unix's.");
#pragma warning disable CA1416 // It is skipped on Windows.
        File.SetUnixFileMode(_scripts.File, (UnixFileMode)0b110_100_100);
#pragma warning restore CA1416

        BackupException e = Assert.Throws<BackupException>(Read);

        Assert.Equal((BackupErrorId.ScriptUntrusted, _scripts.File), (e.Id, e.Target));
        Assert.Contains("644", e.Message, StringComparison.Ordinal);
    }

    private ScriptSettings Read() => ScriptSettings.Read(_scripts.File, IFileTrust.OfThisSystem);
}
