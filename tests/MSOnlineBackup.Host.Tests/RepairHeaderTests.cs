using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Host.Tests;

public sealed class RepairHeaderTests : IDisposable
{
    private readonly TempFolder _folder = new();

    private string Header => Path.Combine(_folder["vault"], "vault.json");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_header_with_a_flipped_digit_is_named_and_comes_back_as_it_was()
    {
        await CreateAsync();
        byte[] sound = await File.ReadAllBytesAsync(Header, TestContext.Current.CancellationToken);
        byte[] flipped = [.. sound];
        flipped[sound.AsSpan().IndexOf("\"vaultId\":\""u8) + 11] ^= 1;
        await File.WriteAllBytesAsync(Header, flipped, TestContext.Current.CancellationToken);

        (int ExitCode, string Output, string Error) run = await RunAsync("points");
        Assert.Equal(10, run.ExitCode);
        Assert.Contains("VaultHeaderDamaged", run.Error, StringComparison.Ordinal);
        Assert.Contains("obengine repair header", run.Error, StringComparison.Ordinal);
        Assert.Equal(1, (await RunAsync("verify", "--read-packs")).ExitCode);

        run = await RunAsync("repair", "header");

        Assert.Equal(0, run.ExitCode);
        Assert.Contains("as it was", run.Output, StringComparison.Ordinal);
        Assert.Equal(sound, await File.ReadAllBytesAsync(Header, TestContext.Current.CancellationToken));
        Assert.Equal(0, (await RunAsync("verify")).ExitCode);
    }

    [Fact]
    public async Task A_lost_header_is_made_anew_without_a_passphrase_and_what_is_lost_is_said()
    {
        await CreateAsync();
        File.Delete(Header);

        (int ExitCode, string Output, string Error) run = await RunAsync("repair", "header");

        Assert.Equal(0, run.ExitCode);
        Assert.Contains("name", run.Output, StringComparison.Ordinal);
        Assert.Contains("1 key slot,", run.Output, StringComparison.Ordinal);
        Assert.Equal(0, (await RunAsync("verify")).ExitCode);
    }

    [Fact]
    public async Task The_owners_file_says_who_the_owner_is_where_no_machine_does()
    {
        await CreateAsync();
        File.Delete(Header);
        Assert.Contains("No machine knows the owner", (await RunAsync("repair", "header")).Output, StringComparison.Ordinal);
        Assert.DoesNotContain("\"owner\"", await File.ReadAllTextAsync(Header, TestContext.Current.CancellationToken), StringComparison.Ordinal);
        File.Delete(Header);

        (int ExitCode, string Output, string Error) run = await RunAsync("repair", "header", "--owner-file", _folder["owner"]);

        Assert.Equal(0, run.ExitCode);
        Assert.Contains("The owner's key has the fingerprint", run.Output, StringComparison.Ordinal);
        Assert.Contains("\"owner\"", await File.ReadAllTextAsync(Header, TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_sound_header_is_refused()
    {
        await CreateAsync();

        (int ExitCode, string Output, string Error) run = await RunAsync("repair", "header", "--json");

        Assert.Equal(1, run.ExitCode);
        Assert.Contains("VaultHeaderNotRepaired", run.Output, StringComparison.Ordinal);
    }

    private async Task CreateAsync() => Assert.Equal(0, (await RunAsync("vault", "create", _folder["vault"], "--owner-file", _folder["owner"])).ExitCode);

    private async Task<(int ExitCode, string Output, string Error)> RunAsync(params string[] arguments)
    {
        var run = new HostRun { Variables = { ["OBENGINE_PASSPHRASE"] = Obengine.Passphrase } };
        if (arguments is not ["vault", ..])
        {
            run.Variables["OBENGINE_VAULT"] = _folder["vault"];
        }

        int exitCode = await run.RunAsync(arguments);
        return (exitCode, run.Output, run.Error);
    }
}
