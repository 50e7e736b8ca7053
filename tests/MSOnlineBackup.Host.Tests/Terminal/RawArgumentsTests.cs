using MSOnlineBackup.Host.Terminal;

namespace MSOnlineBackup.Host.Tests.Terminal;

public sealed class RawArgumentsTests
{
    [Fact]
    public void An_argument_that_is_no_text_keeps_its_bytes()
    {
        byte[] commandLine = [.. "obengine\0backup\0caf"u8, 0xe9, .. "\0a\\b\0"u8];

        Assert.Equal(["backup", @"caf\xe9", @"a\b"], RawArguments.Restore(["backup", "caf\uFFFD", @"a\b"], commandLine));
    }

    [Fact]
    public void One_that_has_the_replacement_character_in_its_name_is_left_alone()
    {
        byte[] commandLine = [.. "dotnet\0obengine.dll\0"u8, .. "x\uFFFD"u8, 0];

        Assert.Equal(["x\uFFFD"], RawArguments.Restore(["x\uFFFD"], commandLine));
    }
}
