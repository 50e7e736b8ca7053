using System.Text.Json;
using System.Text.Json.Serialization;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Vaults.Registers;

/// <summary>What the owner of a vault decides for all of its machines. Readable without a passphrase, and signed by the owner.</summary>
/// <param name="MachineLimit">
/// How many machines may be registered with the vault: 1 to 10,000, and 50 unless set. Those that are there stay when it is lowered.
/// </param>
public sealed record VaultSettings([property: JsonPropertyName("machineLimit")] int MachineLimit = 50)
{
    /// <summary>The shortest time for which a deleted recovery point can be brought back, in days; it holds unless another is set.</summary>
    public const int LeastUndeleteDays = 14;

    /// <summary>The longest.</summary>
    public const int MostUndeleteDays = 180;

    /// <summary>The least parity that there is, in per cent of what is stored; 0 is none.</summary>
    public const int LeastParityPercent = 5;

    /// <summary>The most.</summary>
    public const int MostParityPercent = 25;

    private const int HighestMachineLimit = 10_000;

    /// <summary>Whether machines may reach the vault by a private address only; it is carried to each with its registration, so that it holds before the first byte.</summary>
    [JsonPropertyName("requirePrivateEndpoint")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool RequiresPrivateEndpoint { get; init; }

    /// <summary>The tier into which contents of files go from now on; what is there stays where it is. Everything else is always hot. For vaults in a cloud.</summary>
    [JsonPropertyName("accessTier")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public VaultAccessTier AccessTier { get; init; }

    /// <summary>How many copies the account is meant to keep; null where nobody said. Once said, it stays from the first recovery point on.</summary>
    [JsonPropertyName("redundancy")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public VaultRedundancy? Redundancy { get; init; }

    /// <summary>For how many days a deleted recovery point can be brought back: 14 to 180, and 14 unless set.</summary>
    [JsonIgnore]
    public int UndeleteDays
    {
        get => SetUndeleteDays ?? LeastUndeleteDays;
        init => SetUndeleteDays = value == LeastUndeleteDays ? null : value;
    }

    [JsonInclude]
    [JsonPropertyName("undeleteDays")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    internal int? SetUndeleteDays { get; init; }

    /// <summary>How much parity maintenance keeps beside packs, in per cent of them: 0 for none, which holds unless another is set, or 5 to 25.</summary>
    [JsonPropertyName("parityPercent")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int ParityPercent { get; init; }

    /// <summary>What a newer version has set, and this one only passes on.</summary>
    [JsonInclude]
    [JsonExtensionData]
    internal Dictionary<string, JsonElement>? Others { get; set; }

    /// <summary>What is wrong with them; null where nothing is.</summary>
    internal string? Fault =>
        MachineLimit is < 1 or > HighestMachineLimit ? $"the machine limit is {MachineLimit}, and may be 1 to {HighestMachineLimit:N0}"
        : !Enum.IsDefined(AccessTier) ? $"there is no access tier {AccessTier}"
        : UndeleteDays is < LeastUndeleteDays or > MostUndeleteDays ? $"deleted recovery points can be brought back for {UndeleteDays} days, and may be for {LeastUndeleteDays} to {MostUndeleteDays}"
        : ParityPercent is not 0 and (< LeastParityPercent or > MostParityPercent) ? $"the parity is {ParityPercent} %, and may be 0 or {LeastParityPercent} to {MostParityPercent} %"
        : Redundancy is { } redundancy && !Enum.IsDefined(redundancy) ? $"there is no redundancy {redundancy}"
        : null;

    /// <summary>Refuses what cannot be set.</summary>
    /// <exception cref="BackupException">ArgumentInvalid.</exception>
    internal void Validate()
    {
        if (Fault is { } fault)
        {
            throw new BackupException(BackupErrorId.ArgumentInvalid, $"These settings are not valid: {fault}.", "Choose a value within these bounds.");
        }
    }
}
