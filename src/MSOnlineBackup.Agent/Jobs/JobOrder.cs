using System.Text.Json.Serialization;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Jobs;

/// <summary>
/// What a job is to do. A kind of job is a class derived from this one, in a file of its own: it says what can be asked for, checks it, and runs it. It is
/// also the form in which an order goes to another process (<see cref="JobOrderFile"/>), so that a new kind is one line here and its class.
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = Discriminator)]
[JsonDerivedType(typeof(BackupOrder), "backup")]
[JsonDerivedType(typeof(RecoveryOrder), "recovery")]
[JsonDerivedType(typeof(WorkloadRecoveryOrder), "workloadRecovery")]
public abstract record JobOrder
{
    /// <summary>The member of the written form that names the kind.</summary>
    internal const string Discriminator = "kind";

    private protected JobOrder(JobKind kind) => Kind = kind;

    /// <summary>The kind, as the job's record has it.</summary>
    [JsonIgnore]
    public JobKind Kind { get; }

    /// <summary>What of it is secret. It is handed over beside the written form, and never written.</summary>
    internal virtual IReadOnlyList<JobSecret> Secrets => [];

    /// <summary>What the job works on, in a few words.</summary>
    private protected abstract string What { get; }

    /// <summary>What is to be done, in a few words; never a secret.</summary>
    public sealed override string ToString() => $"{Kind}: {What}";

    /// <summary>The order with the secrets that were handed over.</summary>
    internal virtual JobOrder WithSecrets(IReadOnlyList<JobSecret> secrets) => this;

    /// <summary>The order as it is written: without its secrets, and with nothing that depends on this process, as its current folder.</summary>
    internal virtual JobOrder ToWritten() => this;

    /// <summary>Refuses what cannot be done on this machine as it is. Nothing is begun, and the vault is not asked.</summary>
    /// <exception cref="BackupException">Why it cannot be done.</exception>
    internal abstract void Check(JobMachine machine);

    /// <summary>Checks the order, and says how the job is run that it asks for.</summary>
    /// <exception cref="BackupException">Why it cannot be done: nothing is begun.</exception>
    internal abstract JobPlan Prepare(JobMachine machine);
}

/// <summary>A secret of an order.</summary>
/// <param name="Name">Which: a name of the kind's own.</param>
/// <param name="Value">The secret; one line.</param>
internal sealed record JobSecret(string Name, string Value)
{
    /// <summary>Its name; never the secret.</summary>
    public override string ToString() => Name;
}
