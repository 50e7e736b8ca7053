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

    /// <summary>Within how many days everything that is stored is read back once, unless another time is set. In a cloud, where reading costs, only where one is set.</summary>
    public const int UsualVerifyDays = 30;

    private const int HighestMachineLimit = 10_000;
    private const int MostVerifyDays = 3650;

    /// <summary>The longest immutability, in days.</summary>
    public const int MostImmutableDays = 36_500;

    /// <summary>For how many days something unusual puts a brake on deletion, unless another time is set.</summary>
    public const int UsualBrakeDays = 14;

    /// <summary>The longest, in days.</summary>
    public const int MostBrakeDays = 180;

    private const int MostApprovers = 100;

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

    /// <summary>Within how many days maintenance reads back everything that is stored, a share in each run: 1 to 3,650; 0 for never. Null for the usual (<see cref="UsualVerifyDays"/>).</summary>
    [JsonPropertyName("verifyDays")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? VerifyDays { get; init; }

    /// <summary>Whether backups by policy maintain the vault after themselves, at most daily, where the machine's identity may delete; true unless set.</summary>
    [JsonIgnore]
    public bool MaintainsAfterBackup
    {
        get => SetMaintainAfterBackup ?? true;
        init => SetMaintainAfterBackup = value ? null : false;
    }

    [JsonInclude]
    [JsonPropertyName("maintainAfterBackup")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    internal bool? SetMaintainAfterBackup { get; init; }

    [JsonInclude]
    [JsonPropertyName("undeleteDays")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    internal int? SetUndeleteDays { get; init; }

    /// <summary>How much parity maintenance keeps beside packs, in per cent of them: 0 for none, which holds unless another is set, or 5 to 25.</summary>
    [JsonPropertyName("parityPercent")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int ParityPercent { get; init; }

    /// <summary>Whether what destroys needs a security PIN of the owner; see <c>GuardedOperation</c>.</summary>
    [JsonPropertyName("requirePin")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool RequiresPin { get; init; }

    /// <summary>Public keys of those of whom one must approve of what destroys, each as <see cref="Cryptography.OwnerIdentity.PublicKey"/>; null or empty where nobody must.</summary>
    [JsonPropertyName("approvers")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? Approvers { get; init; }

    /// <summary>Whether recovery points that are younger than <see cref="ImmutableDays"/> can be deleted by nobody, and whether that can be changed.</summary>
    [JsonPropertyName("immutability")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public VaultImmutability Immutability { get; init; }

    /// <summary>For how many days a recovery point is immutable: 1 to 36,500; 0 where the vault never was.</summary>
    [JsonPropertyName("immutableDays")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int ImmutableDays { get; init; }

    /// <summary>For how long a recovery point is immutable; null where it is not.</summary>
    [JsonIgnore]
    public TimeSpan? ImmutableTime => Immutability == VaultImmutability.Off ? null : TimeSpan.FromDays(ImmutableDays);

    /// <summary>For how many days nothing of a machine ends after something unusual, unless the owner releases it: 0 to 180, and 14 unless set; 0 for no brake.</summary>
    [JsonIgnore]
    public int BrakeDays
    {
        get => SetBrakeDays ?? UsualBrakeDays;
        init => SetBrakeDays = value == UsualBrakeDays ? null : value;
    }

    [JsonInclude]
    [JsonPropertyName("brakeDays")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    internal int? SetBrakeDays { get; init; }

    /// <summary>Whether each run of a machine leaves a status in the vault, and who can read it; sealed unless set.</summary>
    [JsonPropertyName("statuses")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public StatusForm Statuses { get; init; }

    /// <summary>Whether machines may back up to it: how the subscription stands that pays for it. What is in the vault stays, whatever is set here.</summary>
    [JsonPropertyName("subscription")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public VaultSubscription Subscription { get; init; }

    /// <summary>What a newer version has set, and this one only passes on.</summary>
    [JsonInclude]
    [JsonExtensionData]
    internal Dictionary<string, JsonElement>? Others { get; set; }

    /// <summary>Within how many days everything is read back in a vault that is there; 0 for never.</summary>
    /// <param name="location">The vault's folder or URL.</param>
    public int VerifyDaysOf(string location) => VerifyDays ?? (new VaultAddress(location).IsRemote ? 0 : UsualVerifyDays);

    /// <summary>What is wrong with them; null where nothing is.</summary>
    internal string? Fault =>
        MachineLimit is < 1 or > HighestMachineLimit ? $"the machine limit is {MachineLimit}, and may be 1 to {HighestMachineLimit:N0}"
        : !Enum.IsDefined(AccessTier) ? $"there is no access tier {AccessTier}"
        : UndeleteDays is < LeastUndeleteDays or > MostUndeleteDays ? $"deleted recovery points can be brought back for {UndeleteDays} days, and may be for {LeastUndeleteDays} to {MostUndeleteDays}"
        : ParityPercent is not 0 and (< LeastParityPercent or > MostParityPercent) ? $"the parity is {ParityPercent} %, and may be 0 or {LeastParityPercent} to {MostParityPercent} %"
        : VerifyDays is < 0 or > MostVerifyDays ? $"everything is verified within {VerifyDays} days, and may be within 1 to {MostVerifyDays:N0}, or 0 for never"
        : BrakeDays is < 0 or > MostBrakeDays ? $"something unusual puts a brake on deletion for {BrakeDays} days, and may for 0 to {MostBrakeDays}"
        : !Enum.IsDefined(Subscription) ? $"there is no state {Subscription} of a subscription"
        : !Enum.IsDefined(Immutability) ? $"there is no immutability {Immutability}"
        : ImmutableDays is < 0 or > MostImmutableDays ? $"recovery points are immutable for {ImmutableDays} days, and may be for 1 to {MostImmutableDays:N0}"
        : Immutability != VaultImmutability.Off && ImmutableDays == 0 ? "the number of days for which recovery points are immutable is missing"
        : !Enum.IsDefined(Statuses) ? $"there is no form {Statuses} of statuses"
        : Approvers?.Count > MostApprovers ? $"there are {Approvers.Count} approvers, and may be {MostApprovers}"
        : Approvers?.FirstOrDefault(key => Cryptography.OwnerIdentity.TryParse(key) is null) is { } approver ? $"'{approver}' is not the public key of an approver"
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

    /// <summary>These settings as they hold after earlier ones: what was locked stays locked, and for as long at least.</summary>
    internal VaultSettings After(VaultSettings earlier) => earlier.Immutability != VaultImmutability.Locked ? this : this with
    {
        Immutability = VaultImmutability.Locked,
        ImmutableDays = Math.Max(Immutability == VaultImmutability.Off ? 0 : ImmutableDays, earlier.ImmutableDays),
    };
}

/// <summary>How the runs of machines are told to whoever watches.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<StatusForm>))]
public enum StatusForm
{
    /// <summary>By statuses that only who has the passphrase or a monitoring credential can read.</summary>
    Sealed,

    /// <summary>By statuses that whoever sees the vault can read.</summary>
    Plain,

    /// <summary>Not at all: whoever watches sees only how old the newest recovery point is.</summary>
    Off,
}

/// <summary>Whether young recovery points can be deleted.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<VaultImmutability>))]
public enum VaultImmutability
{
    /// <summary>They can, and be brought back for the undelete time.</summary>
    Off,

    /// <summary>They cannot. The owner can change that.</summary>
    On,

    /// <summary>They cannot, and nobody can change that: the time can only be made longer.</summary>
    Locked,
}
