using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Host.Tests.Processes;

/// <summary>Passphrases become keys by Argon2id where libsodium is there, and by PBKDF2 where it is not, or where that was asked for.</summary>
public sealed class KeyDerivationTests : IDisposable
{
    private readonly Obengine _obengine = new();

    public KeyDerivationTests() => _obengine.Variables["OBENGINE_PASSPHRASE"] = Obengine.Passphrase;

    public void Dispose() => _obengine.Dispose();

    [Theory]
    [InlineData(null, "argon2id")]
    [InlineData("argon2id", "argon2id")]
    [InlineData("pbkdf2", "pbkdf2-hmac-sha512")]
    public async Task A_vault_is_made_by_what_was_asked_for(string? kdf, string expected)
    {
        string[] asked = kdf is null ? [] : ["--kdf", kdf];
        Assert.Equal(0, (await _obengine.RunAsync(["vault", "create", _obengine.Vault, .. asked])).ExitCode);

        Assert.Equal([expected], await ListAsync());
    }

    [Fact]
    public async Task A_second_key_slot_may_be_of_the_other_kind_and_an_unknown_kind_is_refused()
    {
        _obengine.Variables["OBENGINE_NEW_PASSPHRASE"] = "another one for tests";
        Assert.Equal(0, (await _obengine.RunAsync(["vault", "create", _obengine.Vault])).ExitCode);
        Assert.Equal(0, (await _obengine.RunAsync(["key", "add", "--vault", _obengine.Vault, "--kdf", "pbkdf2"])).ExitCode);

        Assert.Equal(["argon2id", "pbkdf2-hmac-sha512"], (await ListAsync()).Order(StringComparer.Ordinal));
        Assert.Equal(2, (await _obengine.RunAsync(["key", "add", "--vault", _obengine.Vault, "--kdf", "md5"])).ExitCode);
        _obengine.Variables["OBENGINE_PASSPHRASE"] = "another one for tests";
        Assert.Equal(0, (await _obengine.RunAsync(["points", "--vault", _obengine.Vault])).ExitCode);
    }

    [Fact]
    public async Task Without_libsodium_new_slots_are_of_PBKDF2_and_one_of_Argon2id_says_what_is_missing()
    {
        string argon = _obengine.Folder["argon"];
        Assert.Equal(0, (await _obengine.RunAsync(["vault", "create", argon])).ExitCode);

        // What is left out lies in folders below.
        string program = Directory.CreateDirectory(_obengine.Folder["program"]).FullName;
        foreach (string file in Directory.GetFiles(Path.GetDirectoryName(Obengine.BuiltProgram)!).Where(file => !file.EndsWith(".deps.json", StringComparison.Ordinal)))
        {
            File.Copy(file, Path.Combine(program, Path.GetFileName(file)));
        }

        _obengine.Program = Path.Combine(program, "obengine.dll");

        Assert.Equal(0, (await _obengine.RunAsync(["vault", "create", _obengine.Vault])).ExitCode);
        Assert.Equal(["pbkdf2-hmac-sha512"], await ListAsync());
        Run refused = await _obengine.RunAsync(["points", "--vault", argon]);
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("KeyDerivationUnavailable", refused.Error, StringComparison.Ordinal);
        Assert.Contains("libsodium", refused.Error, StringComparison.Ordinal);
    }

    private async Task<IReadOnlyList<string>> ListAsync()
    {
        Run run = await _obengine.RunAsync(["key", "list", "--vault", _obengine.Vault, "--json"]);
        Assert.Equal(0, run.ExitCode);
        return [.. run.Lines().Where(line => line.GetProperty("type").GetString() == "key").Select(line => line.GetProperty("kdf").GetString()!)];
    }
}
