export { type ContractApi, type ContractSubject, type MakeSubject, patternBytes, sameBytes } from './testing/contracts/contract.ts';
export { logBrokerContract } from './testing/contracts/log-broker-contract.ts';
export { metaStoreContract } from './testing/contracts/meta-store-contract.ts';
export { objectStoreContract } from './testing/contracts/object-store-contract.ts';
export { Faults } from './testing/faults.ts';
export { FaultyLogBroker, FaultyMetaStore, FaultyObjectStore } from './testing/faulty-stores.ts';
export { ManualClock } from './testing/manual-clock.ts';
export { propertyOptions } from './testing/property-options.ts';
export { seededRng } from './testing/seeded-rng.ts';
