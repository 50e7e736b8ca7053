namespace MSOnlineBackup.Agent.Access;

/// <summary>A credential file that was written.</summary>
/// <param name="File">Its path.</param>
/// <param name="Warning">What whoever hands it on should know; null for nothing.</param>
public sealed record IssuedCredential(string File, string? Warning);
