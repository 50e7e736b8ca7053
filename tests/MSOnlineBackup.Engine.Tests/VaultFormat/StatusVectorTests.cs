using System.Security.Cryptography;
using System.Text;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Statuses;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.VaultFormat;

/// <summary>The statuses of <c>docs/vault-format.md</c>: what the engine writes and reads, and what the document alone reads. Observers of other versions read what is stored today.</summary>
public sealed class StatusVectorTests : IDisposable
{
    private static readonly string _vault = FormatDocument.Raw("keys", "vault");
    private static readonly StoreId _store = StoreId.Parse(FormatDocument.Raw("keys", "store"));

    private readonly StoreKeys _keys = new(FormatDocument.Hex("keys", "master"), FormatDocument.Hex("keys", "vault"), _store);
    private readonly IndependentKeys _independent = new(FormatDocument.Hex("keys", "master"), FormatDocument.Hex("keys", "vault"), FormatDocument.Hex("keys", "store"));

    private static RunStatus Status => new()
    {
        Machine = FormatDocument.Quoted("names", "machine name"),
        Policy = "files",
        Outcome = RunOutcome.CompletedWithWarnings,
        Job = Guid.Parse("0f8fad5b-d9cb-469f-a165-70867728950e"),
        Point = SessionId.Parse(FormatDocument.Raw("segment", "session")),
        Started = new DateTimeOffset(2026, 11, 21, 4, 5, 6, TimeSpan.Zero),
        Ended = new DateTimeOffset(2026, 11, 21, 5, 5, 6, TimeSpan.Zero),
        Errors = ["SourceItemUnreadable"],
        Files = 2,
        Bytes = 5396,
        Skipped = 1,
        NextSeconds = 82_800,
        GraceSeconds = 14_400,
        Next = new DateTimeOffset(2026, 11, 22, 5, 5, 6, TimeSpan.FromHours(1)),
        Zone = "Europe/Berlin",
        AgentVersion = "0.1.0",
        Store = _store,
    };

    public void Dispose() => _keys.Dispose();

    [Fact]
    public void Keys_of_statuses_are_derived_as_the_document_says()
    {
        var key = MonitoringKey.Of(_keys);
        Assert.Equal(
            (FormatDocument.Raw("status", "monitoring"), FormatDocument.Raw("status", "seal"), FormatDocument.Raw("status", "code")),
            (Hex(key.Key), Hex(key.SealKey), Hex(key.CodeKey)));
        Assert.Equal(FormatDocument.Raw("status", "monitoring"), Hex(_independent.Derive("monitoring", 32)));
    }

    [Fact]
    public void A_plain_status_is_written_and_read_as_the_document_says()
    {
        var key = MonitoringKey.Of(_keys);
        string name = FormatDocument.Quoted("status", "plain");
        byte[] stored = Stored("plain");

        Assert.Equal(Encoding.UTF8.GetString(stored), Encoding.UTF8.GetString(StatusCodec.Encode(key, _vault, name, Status, isSealed: false)));
        AssertSame(StatusCodec.Decode([key], _store, _vault, name, stored), isProved: true);
        AssertSame(StatusCodec.Decode([], _store, _vault, name, stored), isProved: false);
        Assert.Equal(Convert.FromBase64String(FormatDocument.Raw("status", "plain proof")), IndependentCode(name, FormatDocument.Raw("status", "plain body")));
    }

    [Fact]
    public void A_sealed_status_is_written_and_read_as_the_document_says()
    {
        var key = MonitoringKey.Of(_keys);
        string name = FormatDocument.Quoted("status", "sealed");
        string body = FormatDocument.Raw("status", "sealed body");
        byte[] stored = Stored("sealed");

        AssertSame(StatusCodec.Decode([key], _store, _vault, name, stored), isProved: true);
        Assert.Equal(new StatusReading(null, IsSealed: true), StatusCodec.Decode([], _store, _vault, name, stored));
        Assert.Equal(StatusReading.Invalid, StatusCodec.Decode([key], _store, _vault, FormatDocument.Quoted("status", "plain"), stored));
        Assert.Equal(FormatDocument.Raw("status", "plain body"), IndependentPlain(name, body).TrimEnd(' '));
        Assert.Equal(Convert.FromBase64String(FormatDocument.Raw("status", "sealed proof")), IndependentCode(name, body));

        // With another salt each time.
        string written = Encoding.UTF8.GetString(StatusCodec.Encode(key, _vault, name, Status, isSealed: true)).Split('\n')[0];
        Assert.Equal(FormatDocument.Raw("status", "plain body"), IndependentPlain(name, written).TrimEnd(' '));
    }

    private static byte[] Stored(string form) => Encoding.UTF8.GetBytes($"{FormatDocument.Raw("status", form + " body")}\n{FormatDocument.Raw("status", form + " proof")}\n");

    private static void AssertSame(StatusReading reading, bool isProved)
    {
        Assert.Equal((false, isProved), (reading.IsSealed, reading.IsProved));
        Assert.Equal(Status.Errors, reading.Status!.Errors);
        Assert.Equal(Status with { Errors = reading.Status.Errors }, reading.Status);
    }

    private static string Hex(byte[] bytes) => Convert.ToHexStringLower(bytes);

    // What section 4 says, without the engine.
    private byte[] IndependentCode(string name, string body) => HMACSHA256.HashData(
        HKDF.Expand(HashAlgorithmName.SHA256, _independent.Derive("monitoring", 32), 32, "code"u8.ToArray()),
        Encoding.UTF8.GetBytes($"MSOnlineBackup record\n1\n{_vault}\n{name}\n{body}"));

    private string IndependentPlain(string name, string body)
    {
        using var json = System.Text.Json.JsonDocument.Parse(body);
        Assert.Equal(_store.ToString(), json.RootElement.GetProperty("store").GetString());
        byte[] content = json.RootElement.GetProperty("sealed").GetBytesFromBase64();
        byte[] seal = HKDF.Expand(HashAlgorithmName.SHA256, _independent.Derive("monitoring", 32), 32, "seal"u8.ToArray());
        byte[] plain = IndependentKeys.Open(
            HKDF.Expand(HashAlgorithmName.SHA256, seal, 32, content[..32]), new byte[12], content.AsSpan(32), Encoding.ASCII.GetBytes($"{_vault}\n{name}"));
        Assert.Equal(0, plain.Length % 512);
        return Encoding.UTF8.GetString(plain);
    }
}
